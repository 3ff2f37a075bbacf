package registry.api.json;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.math.BigInteger;

/** Cuts a text of HCL into words, one at a time, without comments. */
final class HclLexer {
    enum Kind {
        NAME,
        STRING,
        NUMBER,
        ASSIGN,
        COMMA,
        OPEN_BRACE,
        CLOSE_BRACE,
        OPEN_BRACKET,
        CLOSE_BRACKET,
        END
    }

    private final String source;

    /** Behind the present word. */
    private int at;

    /** Where the present word begins. */
    private int from;

    private boolean scanned;
    private Kind kind = Kind.END;
    private String text = "";

    HclLexer(String source) {
        this.source = source.startsWith("\ufeff") ? source.substring(1) : source;
    }

    /** The kind of the present word. */
    Kind peek() throws Hcl.SyntaxException {
        if (!scanned) {
            scan();
            scanned = true;
        }
        return kind;
    }

    /** The present word: a name or number as written, a string's content. */
    String text() throws Hcl.SyntaxException {
        peek();
        return text;
    }

    /** The present word, and goes on to the next. */
    String next() throws Hcl.SyntaxException {
        String word = text();
        scanned = false;
        return word;
    }

    /** Goes over the present word if it is of that kind. */
    boolean skip(Kind unwanted) throws Hcl.SyntaxException {
        if (peek() != unwanted) {
            return false;
        }
        scanned = false;
        return true;
    }

    JsonNode number() throws Hcl.SyntaxException {
        String word = text();
        try {
            JsonNode number = number(word);
            scanned = false;
            return number;
        } catch (NumberFormatException e) {
            throw fault("found " + word + ", expected a number");
        }
    }

    private static JsonNode number(String word) {
        boolean negative = word.startsWith("-");
        String digits = negative ? word.substring(1) : word;
        if (digits.startsWith("0x") || digits.startsWith("0X")) {
            return whole(new BigInteger(digits.substring(2), 16), negative);
        }
        if (digits.chars().allMatch(c -> c >= '0' && c <= '9') && !digits.isEmpty()) {
            boolean octal = digits.length() > 1 && digits.charAt(0) == '0';
            return whole(new BigInteger(digits, octal ? 8 : 10), negative);
        }
        if (!digits.matches("[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?")) {
            throw new NumberFormatException(word);
        }
        double value = Double.parseDouble(word);
        if (Double.isInfinite(value)) {
            throw new NumberFormatException(word);
        }
        return JsonNodeFactory.instance.numberNode(value);
    }

    private static JsonNode whole(BigInteger magnitude, boolean negative) {
        BigInteger value = negative ? magnitude.negate() : magnitude;
        return value.bitLength() < Long.SIZE
                ? JsonNodeFactory.instance.numberNode(value.longValueExact())
                : JsonNodeFactory.instance.numberNode(value);
    }

    /** Something else was expected in the place of the present word. */
    Hcl.SyntaxException unexpected(String expected) throws Hcl.SyntaxException {
        String found =
                switch (peek()) {
                    case END -> "the end";
                    case STRING -> "\"" + shortened(text) + "\"";
                    case NAME, NUMBER -> shortened(text);
                    default -> "'" + source.substring(from, at) + "'";
                };
        return fault("found " + found + ", expected " + expected);
    }

    private static String shortened(String word) {
        return word.length() <= 40 ? word : word.substring(0, 40) + "…";
    }

    /** Something is wrong with the present word. */
    Hcl.SyntaxException fault(String message) {
        return fault(from, message);
    }

    private Hcl.SyntaxException fault(int place, String message) {
        int end = Math.min(place, source.length());
        int line = 1;
        int start = 0;
        for (int i = 0; i < end; i++) {
            if (source.charAt(i) == '\n') {
                line++;
                start = i + 1;
            }
        }
        return new Hcl.SyntaxException(line, end - start + 1, message);
    }

    private void scan() throws Hcl.SyntaxException {
        skipBlanksAndComments();
        from = at;
        text = "";
        if (at >= source.length()) {
            kind = Kind.END;
            return;
        }
        char c = source.charAt(at);
        Kind mark = mark(c);
        if (mark != Kind.END) {
            at++;
            kind = mark;
        } else if (c == '"') {
            kind = Kind.STRING;
            text = string();
        } else if (c == '<' && source.startsWith("<<", at)) {
            kind = Kind.STRING;
            text = heredoc();
        } else if (c == '-' || isDigit(c)) {
            kind = Kind.NUMBER;
            text = run();
        } else if (Character.isLetter(c) || c == '_') {
            kind = Kind.NAME;
            text = run();
        } else {
            throw fault("found '" + Character.toString(source.codePointAt(at)) + "'");
        }
    }

    private static Kind mark(char c) {
        return switch (c) {
            case '=' -> Kind.ASSIGN;
            case ',' -> Kind.COMMA;
            case '{' -> Kind.OPEN_BRACE;
            case '}' -> Kind.CLOSE_BRACE;
            case '[' -> Kind.OPEN_BRACKET;
            case ']' -> Kind.CLOSE_BRACKET;
            default -> Kind.END;
        };
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    /** Letters, digits and what names and numbers may have besides. */
    private String run() {
        int end = at + 1;
        while (end < source.length()) {
            char c = source.charAt(end);
            boolean exponent = c == '+' && Character.toLowerCase(source.charAt(end - 1)) == 'e';
            if (!Character.isLetterOrDigit(c) && "_-.".indexOf(c) < 0 && !exponent) {
                break;
            }
            end++;
        }
        String word = source.substring(at, end);
        at = end;
        return word;
    }

    private void skipBlanksAndComments() throws Hcl.SyntaxException {
        while (at < source.length()) {
            char c = source.charAt(at);
            if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
                at++;
            } else if (c == '#' || source.startsWith("//", at)) {
                int end = source.indexOf('\n', at);
                at = end < 0 ? source.length() : end;
            } else if (source.startsWith("/*", at)) {
                int end = source.indexOf("*/", at + 2);
                if (end < 0) {
                    throw fault(at, "the comment does not end");
                }
                at = end + 2;
            } else {
                return;
            }
        }
    }

    private String string() throws Hcl.SyntaxException {
        var content = new StringBuilder();
        int braces = 0;
        at++;
        while (at < source.length()) {
            char c = source.charAt(at++);
            if (braces == 0 && c == '"') {
                return content.toString();
            }
            if (braces == 0 && c == '\n') {
                break;
            }
            if (braces == 0 && c == '\\') {
                escape(content);
                continue;
            }
            content.append(c);
            if (c == '$' && braces == 0 && source.startsWith("{", at)) {
                content.append('{');
                at++;
                braces = 1;
            } else if (braces > 0) {
                braces += c == '{' ? 1 : c == '}' ? -1 : 0;
            }
        }
        throw fault("the text does not end");
    }

    private void escape(StringBuilder content) throws Hcl.SyntaxException {
        int place = at - 1;
        char c = at < source.length() ? source.charAt(at++) : '\0';
        switch (c) {
            case 'a' -> content.append('\u0007');
            case 'b' -> content.append('\b');
            case 'f' -> content.append('\f');
            case 'n' -> content.append('\n');
            case 'r' -> content.append('\r');
            case 't' -> content.append('\t');
            case 'v' -> content.append('\u000b');
            case '"', '\\' -> content.append(c);
            case 'x' -> content.appendCodePoint(code(place, 2, 16));
            case 'u' -> content.appendCodePoint(code(place, 4, 16));
            case 'U' -> content.appendCodePoint(code(place, 8, 16));
            case '0', '1', '2', '3', '4', '5', '6', '7' -> {
                at--;
                content.appendCodePoint(code(place, 3, 8));
            }
            default -> throw fault(place, "unknown escape in a text");
        }
    }

    private int code(int place, int length, int radix) throws Hcl.SyntaxException {
        long value = 0;
        for (int i = 0; i < length; i++) {
            int digit = at < source.length() ? Character.digit(source.charAt(at), radix) : -1;
            if (digit < 0) {
                throw fault(place, "an escape with too few digits");
            }
            value = value * radix + digit;
            at++;
        }
        if (value > Character.MAX_CODE_POINT) {
            throw fault(place, "an escape for no character");
        }
        return (int) value;
    }

    /** {@code <<END} and lines up to {@code END}; {@code <<-END} takes the end's indent away. */
    private String heredoc() throws Hcl.SyntaxException {
        int end = source.indexOf('\n', at);
        boolean indented = source.startsWith("<<-", at);
        String marker =
                end < 0 ? "" : source.substring(at + (indented ? 3 : 2), end).stripTrailing();
        if (marker.isEmpty()
                || !marker.chars().allMatch(c -> Character.isLetterOrDigit(c) || c == '_')) {
            throw fault("found '<<', expected a word and a line's end behind it");
        }
        var content = new StringBuilder();
        int line = end + 1;
        while (line < source.length()) {
            int stop = source.indexOf('\n', line);
            String whole = source.substring(line, stop < 0 ? source.length() : stop);
            if (whole.strip().equals(marker)) {
                at = line + whole.length();
                String indent = whole.substring(0, whole.indexOf(marker.charAt(0)));
                return indented ? unindented(content.toString(), indent) : content.toString();
            }
            content.append(whole.endsWith("\r") ? whole.substring(0, whole.length() - 1) : whole)
                    .append('\n');
            line = stop < 0 ? source.length() : stop + 1;
        }
        throw fault("the text does not end: no line is " + marker);
    }

    private static String unindented(String content, String indent) {
        boolean all = content.lines().allMatch(line -> line.isEmpty() || line.startsWith(indent));
        if (!all || indent.isEmpty()) {
            return content;
        }
        var out = new StringBuilder();
        content.lines()
                .forEach(line ->
                        out.append(line.isEmpty() ? line : line.substring(indent.length()))
                                .append('\n'));
        return out.toString();
    }
}
