package registry.agent.gossip;

import java.util.List;

/** Several errors as one text, in the form that Consul's library gives them. */
final class ErrorList {
    private ErrorList() {}

    static String text(List<String> errors) {
        var text =
                new StringBuilder()
                        .append(errors.size())
                        .append(errors.size() == 1 ? " error" : " errors")
                        .append(" occurred:\n");
        errors.forEach(e -> text.append("\t* ").append(e).append('\n'));
        return text.append('\n').toString();
    }
}
