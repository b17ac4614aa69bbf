import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/** The articles, and in how many of the held-out ones each word stands. One article a line: title, tab, body. */
final class Corpus {
    final List<String[]> measured = new ArrayList<>();
    private final Map<String, Integer> frequencies = new HashMap<>();

    Corpus(Path file, int measuredCount) throws IOException {
        try (BufferedReader lines = Files.newBufferedReader(file)) {
            for (String line; (line = lines.readLine()) != null; ) {
                if (measured.size() < measuredCount) measured.add(line.split("\t", 2));
                else for (String word : new HashSet<>(Arrays.asList(line.toLowerCase().split("[^a-z0-9]+")))) frequencies.merge(word, 1, Integer::sum);
            }
        }
    }

    int frequency(String word) {
        return frequencies.getOrDefault(word, 0);
    }
}
