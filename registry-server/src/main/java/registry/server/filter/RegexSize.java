package registry.server.filter;

import com.google.re2j.PatternSyntaxException;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Refuses regular expressions whose repetitions multiply into a large program: time is linear in
 * the text, but also in that.
 */
public final class RegexSize {
    private static final long MAX_SIZE = 10_000;
    private static final int MAX_DEPTH = 100;

    private record Group(long before, long size) {}

    private RegexSize() {}

    /**
     * @throws PatternSyntaxException when the expression is too large or too deep
     */
    public static void check(String regex) {
        Deque<Group> open = new ArrayDeque<>();
        long size = 0;
        long last = 0;
        boolean inClass = false;
        for (int i = 0; i < regex.length(); i++) {
            char c = regex.charAt(i);
            if (c == '\\') {
                i++;
                last = 1;
                size++;
            } else if (inClass) {
                inClass = c != ']';
            } else if (c == '(') {
                open.push(new Group(size, last));
                size = 0;
            } else if (c == ')' && !open.isEmpty()) {
                last = size + 2;
                size = open.pop().before() + last;
            } else if (c == '{') {
                long more = last * (repeats(regex, i) - 1);
                size += more;
                last += more;
            } else {
                inClass = c == '[';
                last = 1;
                size++;
            }
            if (size > MAX_SIZE || open.size() > MAX_DEPTH) {
                throw new PatternSyntaxException("expression too large", regex);
            }
        }
    }

    /** The larger number between braces; 1 when there is none. */
    private static long repeats(String regex, int brace) {
        long number = 0;
        long largest = 1;
        for (int i = brace + 1; i < regex.length() && i < brace + 12; i++) {
            char c = regex.charAt(i);
            if (c >= '0' && c <= '9') {
                number = number * 10 + (c - '0');
                largest = Math.max(largest, number);
            } else if (c == ',') {
                number = 0;
            } else {
                break;
            }
        }
        return largest;
    }
}
