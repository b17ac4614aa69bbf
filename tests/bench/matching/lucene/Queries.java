import java.util.StringTokenizer;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.PhraseQuery;
import org.apache.lucene.search.PrefixQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.spans.SpanContainingQuery;
import org.apache.lucene.search.spans.SpanNearQuery;
import org.apache.lucene.search.spans.SpanOrQuery;
import org.apache.lucene.search.spans.SpanQuery;
import org.apache.lucene.search.spans.SpanTermQuery;

/** Reads a query as the benchmark writes it: operators first, each list with its length. */
final class Queries {
    private final StringTokenizer words;

    private Queries(String text) {
        words = new StringTokenizer(text);
    }

    static Query parse(String text) {
        return new Queries(text).query();
    }

    private Query query() {
        return query(words.nextToken());
    }

    private Query query(String operator) {
        switch (operator) {
            case "term": return new TermQuery(term());
            case "phrase": return phrase();
            case "prefix": return prefix(words.nextToken());
            case "near": return near(number());
            default: return list(operator.equals("and") ? Occur.MUST : Occur.SHOULD);
        }
    }

    private Query phrase() {
        String[] inRow = new String[number()];
        for (int i = 0; i < inRow.length; i++) inRow[i] = words.nextToken();
        return new PhraseQuery(Fields.TEXT, inRow);
    }

    private Query prefix(String stem) {
        boolean indexed = stem.length() >= Fields.SHORTEST && stem.length() <= Fields.LONGEST;
        return indexed ? new TermQuery(new Term(Fields.BEGINNINGS, stem)) : new PrefixQuery(new Term(Fields.TEXT, stem));
    }

    /** The mark of a paragraph takes a position, which does not count in Tocsin's distances: with one between, one more. */
    private Query near(int distance) {
        SpanQuery[] both = {spanTerm(), spanTerm()};
        SpanQuery mark = new SpanTermQuery(new Term(Fields.TEXT, String.valueOf(Fields.PARAGRAPH)));
        return new SpanOrQuery(
            new SpanNearQuery(both, distance - 1, false),
            new SpanContainingQuery(new SpanNearQuery(both, distance, false), mark));
    }

    private SpanQuery spanTerm() {
        if (!words.nextToken().equals("term")) throw new IllegalArgumentException("NEAR is between words here");
        return new SpanTermQuery(term());
    }

    private Query list(Occur occur) {
        BooleanQuery.Builder query = new BooleanQuery.Builder();
        for (int left = number(); left > 0; left--) {
            String next = words.nextToken();
            query.add(next.equals("not") ? query() : query(next), next.equals("not") ? Occur.MUST_NOT : occur);
        }
        return query.build();
    }

    private Term term() {
        return new Term(Fields.TEXT, words.nextToken());
    }

    private int number() {
        return Integer.parseInt(words.nextToken());
    }
}
