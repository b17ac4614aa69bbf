import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.lucene.monitor.MatchingQueries;
import org.apache.lucene.monitor.Monitor;
import org.apache.lucene.monitor.MonitorConfiguration;
import org.apache.lucene.monitor.MonitorQuery;
import org.apache.lucene.monitor.QueryMatch;
import org.apache.lucene.monitor.TermFilteredPresearcher;
import org.apache.lucene.monitor.TermWeightor;
import org.apache.lucene.util.Version;

/**
 * Lucene Monitor as the benchmark's peer, in the best tuning that was found: queries hang on their rarest term by the
 * document frequency of held-out articles, and prefixes are terms of a field of their own.
 *
 * Started with the file of articles and how many of them are measured. Then each line of standard input is a request,
 * and each is answered by one line of JSON:
 * "register FILE COUNT", "run FIRST END" (timed by the processor's clock), "sets FIRST END" (what each article matches), "version".
 */
public final class MonitorBench {
    private static final int BATCH = 50_000;
    private static final OperatingSystemMXBean PROCESS = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private final Corpus corpus;
    private final Monitor monitor;
    private final long heapBefore;

    private MonitorBench(Path articles, int measured) throws IOException {
        corpus = new Corpus(articles, measured);
        heapBefore = heapBytes();
        TermWeightor rareFirst = term -> 1.0 / (1 + corpus.frequency(term.text()));
        TermFilteredPresearcher presearcher = new TermFilteredPresearcher(rareFirst, Collections.emptyList(), Collections.emptySet());
        MonitorConfiguration configuration = new MonitorConfiguration().setQueryUpdateBufferSize(BATCH).setPurgeFrequency(1, TimeUnit.DAYS);
        monitor = new Monitor(Fields.analyzer(), presearcher, configuration);
    }

    public static void main(String[] arguments) throws IOException {
        MonitorBench bench = new MonitorBench(Paths.get(arguments[0]), Integer.parseInt(arguments[1]));
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = requests.readLine()) != null; ) System.out.println(bench.answer(line.split(" ")));
        System.exit(0); // the monitor has a thread of its own
    }

    private String answer(String[] request) throws IOException {
        switch (request[0]) {
            case "register": return register(Paths.get(request[1]), Integer.parseInt(request[2]));
            case "run": return run(Integer.parseInt(request[1]), Integer.parseInt(request[2]));
            case "sets": return sets(Integer.parseInt(request[1]), Integer.parseInt(request[2]));
            case "version": return String.format("{\"version\": \"Lucene Monitor %s, Java %s\"}", Version.LATEST, System.getProperty("java.version"));
            default: throw new IllegalArgumentException(request[0]);
        }
    }

    private String register(Path file, int count) throws IOException {
        long started = System.nanoTime();
        try (BufferedReader lines = Files.newBufferedReader(file)) {
            List<MonitorQuery> batch = new ArrayList<>();
            String line;
            for (int i = 0; i < count && (line = lines.readLine()) != null; i++) {
                String[] columns = line.split("\t");
                batch.add(new MonitorQuery(columns[0], Queries.parse(columns[1])));
                if (batch.size() == BATCH) {
                    monitor.register(batch);
                    batch.clear();
                }
            }
            if (!batch.isEmpty()) monitor.register(batch);
        }
        double seconds = (System.nanoTime() - started) / 1e9;
        return String.format(Locale.ROOT, "{\"build_s\": %.3f, \"index_bytes\": %d}", seconds, heapBytes() - heapBefore);
    }

    private String run(int first, int end) throws IOException {
        long started = PROCESS.getProcessCpuTime();
        long matches = 0, candidates = 0;
        for (int i = first; i < end; i++) {
            MatchingQueries<QueryMatch> found = match(i);
            matches += found.getMatchCount();
            candidates += found.getQueriesRun();
        }
        double seconds = (PROCESS.getProcessCpuTime() - started) / 1e9;
        return String.format(Locale.ROOT, "{\"seconds\": %.6f, \"matches\": %d, \"candidates\": %d}", seconds, matches, candidates);
    }

    private String sets(int first, int end) throws IOException {
        List<TreeSet<Integer>> sets = new ArrayList<>();
        for (int i = first; i < end; i++) {
            sets.add(match(i).getMatches().stream().map(m -> Integer.parseInt(m.getQueryId())).collect(Collectors.toCollection(TreeSet::new)));
        }
        return "{\"sets\": " + sets + "}";
    }

    private MatchingQueries<QueryMatch> match(int number) throws IOException {
        return monitor.match(Fields.document(corpus.measured.get(number)), QueryMatch.SIMPLE_MATCHER);
    }

    private static long heapBytes() {
        for (int i = 0; i < 3; i++) System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
