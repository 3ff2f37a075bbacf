package registry.server.catalog;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import registry.api.Node;
import registry.api.NodeService;
import registry.server.rpc.Question;

/**
 * What {@code tag} and {@code node-meta} ask for: every tag, in any case, and every pair, exactly.
 * Without either it selects all.
 */
public final class Selection {
    private final List<String> tags;
    private final List<Map.Entry<String, String>> nodeMeta;

    private Selection(List<String> tags, List<Map.Entry<String, String>> nodeMeta) {
        this.tags = tags;
        this.nodeMeta = nodeMeta;
    }

    public static Selection of(Question question) {
        List<Map.Entry<String, String>> pairs = new ArrayList<>();
        for (String pair : question.all("node-meta")) {
            int colon = pair.indexOf(':');
            pairs.add(
                    colon < 0
                            ? Map.entry(pair, "")
                            : Map.entry(pair.substring(0, colon), pair.substring(colon + 1)));
        }
        return new Selection(question.all("tag"), pairs);
    }

    /** Whether nodes make a difference. */
    public boolean byNode() {
        return !nodeMeta.isEmpty();
    }

    public boolean takes(@Nullable Node node) {
        if (nodeMeta.isEmpty()) {
            return true;
        }
        Map<String, String> meta = node == null ? null : node.meta();
        if (meta == null) {
            return false;
        }
        for (Map.Entry<String, String> pair : nodeMeta) {
            if (!pair.getValue().equals(meta.get(pair.getKey()))) {
                return false;
            }
        }
        return true;
    }

    public boolean takes(NodeService service) {
        for (String tag : tags) {
            if (service.tags().stream().noneMatch(tag::equalsIgnoreCase)) {
                return false;
            }
        }
        return true;
    }
}
