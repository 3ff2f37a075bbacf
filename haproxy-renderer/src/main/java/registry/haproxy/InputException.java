package registry.haproxy;

import java.util.List;

/** The input file is wrong; the message has one line for each mistake, with file, line and path. */
final class InputException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    InputException(String problem) {
        super(problem, null, false, false);
    }

    InputException(List<String> problems) {
        this(String.join("\n", problems));
    }
}
