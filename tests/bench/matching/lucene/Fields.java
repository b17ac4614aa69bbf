import java.util.Map;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.LowerCaseFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.miscellaneous.PerFieldAnalyzerWrapper;
import org.apache.lucene.analysis.miscellaneous.RemoveDuplicatesTokenFilter;
import org.apache.lucene.analysis.ngram.EdgeNGramTokenFilter;
import org.apache.lucene.analysis.util.CharTokenizer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;

/**
 * How an article becomes a document: runs of letters and digits in lower case, and beside them the beginnings of words,
 * which makes prefix queries as cheap as words. A gap after the title and a mark between paragraphs give phrases the
 * same limits that Tocsin has.
 */
final class Fields {
    static final String TEXT = "text", BEGINNINGS = "beginnings";
    static final int SHORTEST = 6, LONGEST = 12;
    static final char PARAGRAPH = '\u00b6';
    private static final int GAP = 100;

    static Analyzer analyzer() {
        return new PerFieldAnalyzerWrapper(analyzer(false), Map.of(BEGINNINGS, analyzer(true)));
    }

    static Document document(String[] article) {
        Document document = new Document();
        for (String part : article) {
            document.add(new TextField(TEXT, part, Field.Store.NO));
            document.add(new TextField(BEGINNINGS, part, Field.Store.NO));
        }
        return document;
    }

    private static Analyzer analyzer(boolean beginnings) {
        return new Analyzer() {
            @Override
            protected TokenStreamComponents createComponents(String field) {
                Tokenizer words = CharTokenizer.fromTokenCharPredicate(c -> Character.isLetterOrDigit(c) || c == PARAGRAPH);
                TokenStream lower = new LowerCaseFilter(words);
                if (!beginnings) return new TokenStreamComponents(words, lower);
                TokenStream cut = new EdgeNGramTokenFilter(lower, SHORTEST, LONGEST, false);
                return new TokenStreamComponents(words, new RemoveDuplicatesTokenFilter(cut));
            }

            @Override
            public int getPositionIncrementGap(String field) {
                return GAP;
            }
        };
    }
}
