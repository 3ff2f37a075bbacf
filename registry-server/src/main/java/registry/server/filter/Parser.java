package registry.server.filter;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import registry.server.filter.Expression.And;
import registry.server.filter.Expression.Match;
import registry.server.filter.Expression.Not;
import registry.server.filter.Expression.Operator;
import registry.server.filter.Expression.Or;

/**
 * Reads a filter in one pass and constant depth. Refusals say, as Consul's do, what could have
 * stood at the furthest place that was reached. Source: consul-api 4.1
 */
final class Parser {
    /** In characters. */
    static final int MAX_LENGTH = 4096;

    /** Of parentheses and negations inside each other. */
    static final int MAX_DEPTH = 16;

    /** Why a text is no filter. */
    static final class Refusal extends Exception {
        private static final long serialVersionUID = 1L;

        Refusal(String message) {
            super(message, null, false, false);
        }

        String text() {
            return String.valueOf(getMessage());
        }
    }

    private static final String BLANK = "[ \\t\\r\\n]";
    private static final String LETTER = "[a-zA-Z]";
    private static final String LETTER_OR_DIGIT = "[a-zA-Z0-9_]";
    private static final String END = "EOF";

    private final String text;
    private int at;
    private int depth;
    private int furthest;
    private final TreeSet<String> expected = new TreeSet<>();

    private Parser(String text) {
        this.text = text;
    }

    static Expression parse(String text) throws Refusal {
        if (text.length() > MAX_LENGTH) {
            throw new Refusal(
                    "the expression has %d characters, at most %d are read"
                            .formatted(text.length(), MAX_LENGTH));
        }
        var parser = new Parser(text);
        parser.blanks();
        Expression expression = parser.or();
        parser.blanks();
        if (parser.at < text.length()) {
            parser.expect(END);
            throw parser.noMatch();
        }
        return expression;
    }

    private Expression or() throws Refusal {
        Expression left = and();
        while (word("or")) {
            left = new Or(left, and());
        }
        return left;
    }

    private Expression and() throws Refusal {
        Expression left = unary();
        while (word("and")) {
            left = new And(left, unary());
        }
        return left;
    }

    /** A word that stands between two operands, with its blanks; nothing is read otherwise. */
    private boolean word(String word) {
        int start = at;
        if (blanks() && literal(word) && blanks()) {
            return true;
        }
        at = start;
        return false;
    }

    private Expression unary() throws Refusal {
        int start = at;
        if (literal("not") && blanks()) {
            // A selector may be called "not", too.
            if (!startsOperator()) {
                deeper();
                Expression of = unary();
                depth--;
                return new Not(of);
            }
        }
        at = start;
        if (!literal("(")) {
            return match();
        }
        deeper();
        blanks();
        Expression inner = or();
        blanks();
        depth--;
        if (!literal(")")) {
            if (at == text.length()) {
                throw new Refusal(place(at) + ": rule \"grouping\": Unmatched parentheses");
            }
            throw noMatch();
        }
        return inner;
    }

    private boolean startsOperator() {
        return text.startsWith("==", at)
                || text.startsWith("!=", at)
                || startsWord("in")
                || startsWord("is")
                || startsWord("contains")
                || startsWord("matches");
    }

    private boolean startsWord(String word) {
        return text.startsWith(word, at)
                && at + word.length() < text.length()
                && isBlank(text.charAt(at + word.length()));
    }

    private void deeper() throws Refusal {
        if (++depth > MAX_DEPTH) {
            throw new Refusal(place(at) + ": more than " + MAX_DEPTH + " levels inside each other");
        }
    }

    private Expression match() throws Refusal {
        List<String> selector = selector();
        if (selector == null) {
            return valueIn(otherValue());
        }
        if (symbol("==")) {
            return new Match(selector, Operator.EQUAL, false, value());
        }
        if (symbol("!=")) {
            return new Match(selector, Operator.EQUAL, true, value());
        }
        int start = at;
        if (blanks()) {
            if (literal("is") && blanks()) {
                boolean negated = literal("not");
                if ((!negated || blanks()) && literal("empty")) {
                    return new Match(selector, Operator.IS_EMPTY, negated, "");
                }
                throw noMatch();
            }
            boolean negated = literal("not");
            if (!negated || blanks()) {
                if (literal("contains") && blanks()) {
                    return new Match(selector, Operator.IN, negated, value());
                }
                if (literal("matches") && blanks()) {
                    return new Match(selector, Operator.MATCHES, negated, value());
                }
            }
        }
        at = start;
        return valueIn(String.join(".", selector));
    }

    private Match valueIn(String value) throws Refusal {
        if (!blanks()) {
            throw noMatch();
        }
        boolean negated = literal("not");
        if ((negated && !blanks()) || !literal("in") || !blanks()) {
            throw noMatch();
        }
        int start = at;
        List<String> selector = selector();
        if (selector == null) {
            throw new Refusal(place(start) + ": rule \"match\": Invalid selector");
        }
        return new Match(selector, Operator.IN, negated, value);
    }

    /** An operator that needs no blanks around it. */
    private boolean symbol(String symbol) {
        int start = at;
        blanks();
        if (literal(symbol)) {
            blanks();
            return true;
        }
        at = start;
        return false;
    }

    private @Nullable List<String> selector() throws Refusal {
        String first = identifier();
        if (first == null) {
            return null;
        }
        List<String> names = new ArrayList<>();
        names.add(first);
        while (true) {
            int start = at;
            if (literal(".")) {
                String name = identifier();
                if (name == null) {
                    at = start;
                    return names;
                }
                names.add(name);
            } else if (literal("[")) {
                blanks();
                String name = quoted();
                if (name == null) {
                    throw new Refusal(place(start) + ": rule \"index\": Invalid index");
                }
                blanks();
                if (!literal("]")) {
                    throw new Refusal(place(start) + ": rule \"index\": Unclosed index expression");
                }
                names.add(name);
            } else {
                return names;
            }
        }
    }

    private @Nullable String identifier() {
        int start = at;
        if (at == text.length() || !isLetter(text.charAt(at))) {
            expect(LETTER);
            return null;
        }
        at++;
        while (at < text.length() && isLetterOrDigit(text.charAt(at))) {
            at++;
        }
        expect(LETTER_OR_DIGIT);
        return text.substring(start, at);
    }

    private String value() throws Refusal {
        List<String> names = selector();
        return names == null ? otherValue() : String.join(".", names);
    }

    private String otherValue() throws Refusal {
        String number = number();
        if (number != null) {
            return number;
        }
        String quoted = quoted();
        if (quoted == null) {
            throw noMatch();
        }
        return quoted;
    }

    private @Nullable String number() throws Refusal {
        int start = at;
        literal("-");
        if (at == text.length() || !isDigit(text.charAt(at))) {
            expect("\"0\"");
            expect("[1-9]");
            at = start;
            return null;
        }
        if (text.charAt(at++) != '0') {
            digits();
        }
        if (at + 1 < text.length() && text.charAt(at) == '.' && isDigit(text.charAt(at + 1))) {
            at++;
            digits();
        }
        if (at < text.length() && !isBlank(text.charAt(at)) && text.charAt(at) != ')') {
            throw new Refusal(place(start) + ": rule \"number\": Invalid number literal");
        }
        return text.substring(start, at);
    }

    private void digits() {
        while (at < text.length() && isDigit(text.charAt(at))) {
            at++;
        }
    }

    /** Text in double quotes, with escapes, or in backquotes, as it stands. */
    private @Nullable String quoted() throws Refusal {
        int start = at;
        if (literal("`")) {
            int end = text.indexOf('`', at);
            if (end < 0) {
                throw unterminated(start);
            }
            String raw = text.substring(at, end);
            at = end + 1;
            return raw;
        }
        if (!literal("\"")) {
            return null;
        }
        var out = new StringBuilder();
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"') {
                return out.toString();
            }
            if (c == '\\' && at < text.length()) {
                char escaped = text.charAt(at++);
                c =
                        switch (escaped) {
                            case 'n' -> '\n';
                            case 't' -> '\t';
                            case 'r' -> '\r';
                            case '"', '\\' -> escaped;
                            default ->
                                    throw new Refusal(
                                            place(start) + ": rule \"string\": invalid syntax");
                        };
            }
            out.append(c);
        }
        throw unterminated(start);
    }

    private Refusal unterminated(int start) {
        return new Refusal(place(start) + ": rule \"string\": Unterminated string literal");
    }

    private boolean literal(String literal) {
        if (text.startsWith(literal, at)) {
            at += literal.length();
            return true;
        }
        expect('"' + literal + '"');
        return false;
    }

    /** Reads blanks; true when there was one. */
    private boolean blanks() {
        int start = at;
        while (at < text.length() && isBlank(text.charAt(at))) {
            at++;
        }
        expect(BLANK);
        return at > start;
    }

    private void expect(String what) {
        if (at > furthest) {
            furthest = at;
            expected.clear();
        }
        if (at == furthest) {
            expected.add(what);
        }
    }

    private Refusal noMatch() {
        boolean end = expected.remove(END);
        List<String> all = new ArrayList<>(expected);
        if (end) {
            all.add(END);
        }
        String last = all.removeLast();
        return new Refusal(
                place(furthest)
                        + ": no match found, expected: "
                        + (all.isEmpty() ? last : String.join(", ", all) + " or " + last));
    }

    private String place(int offset) {
        int line = 1;
        int column = 1;
        for (int i = 0; i < offset; i++) {
            column++;
            if (text.charAt(i) == '\n') {
                line++;
                column = 1;
            }
        }
        return "%d:%d (%d)".formatted(line, column, offset);
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
    }

    private static boolean isLetter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static boolean isLetterOrDigit(char c) {
        return isLetter(c) || isDigit(c) || c == '_';
    }
}
