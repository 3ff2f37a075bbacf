package registry.agent.dns;

import java.util.List;
import java.util.Set;
import org.xbill.DNS.Type;

/** What a name below the domain asks for. */
sealed interface Asked {
    /** The address of a node, whose name may have dots. */
    record OfNode(String node) implements Asked {}

    /**
     * The healthy instances of a service.
     *
     * @param tag empty for any; may have dots
     */
    record OfService(String service, String tag) implements Asked {}

    /** What a prepared query finds, by its name, which may have dots, or its id. */
    record OfQuery(String query) implements Asked {}

    /** An address that is in the name itself, in hexadecimal digits. */
    record OfAddress(String digits) implements Asked {}

    /** Nothing that there could be. */
    record Nothing() implements Asked {}

    Nothing NOTHING = new Nothing();

    /** Words that end the part which is asked about; behind them only a datacenter may stand. */
    Set<String> KEYWORDS =
            Set.of("node", "service", "query", "addr", "connect", "ingress", "virtual");

    /**
     * @param labels before the domain, in lower case
     * @param datacenter the only one that is known here
     */
    static Asked of(List<String> labels, int type, String datacenter) {
        int keyword = labels.size() - 1;
        while (keyword >= 0 && !KEYWORDS.contains(labels.get(keyword))) {
            keyword--;
        }
        if (keyword < 0) {
            return type == Type.SRV ? shortened(labels, datacenter) : NOTHING;
        }
        if (!isHere(labels.subList(keyword + 1, labels.size()), datacenter)) {
            return NOTHING;
        }
        List<String> subject = labels.subList(0, keyword);
        if (subject.isEmpty()) {
            return NOTHING;
        }
        return switch (labels.get(keyword)) {
            case "node" -> new OfNode(String.join(".", subject));
            case "service" -> service(subject);
            case "query" -> new OfQuery(String.join(".", subject));
            case "addr" -> subject.size() == 1 ? new OfAddress(subject.getFirst()) : NOTHING;
            default -> NOTHING;
        };
    }

    /** {@code _service._tag}, where SRV says enough. */
    private static Asked shortened(List<String> labels, String datacenter) {
        if (labels.size() < 2 || !isHere(labels.subList(2, labels.size()), datacenter)) {
            return NOTHING;
        }
        List<String> subject = labels.subList(0, 2);
        return isRfc2782(subject) ? service(subject) : NOTHING;
    }

    private static boolean isHere(List<String> behind, String datacenter) {
        return behind.isEmpty() || (behind.size() == 1 && behind.getFirst().equals(datacenter));
    }

    private static Asked service(List<String> subject) {
        if (isRfc2782(subject)) {
            String tag = subject.get(1).substring(1);
            return new OfService(subject.getFirst().substring(1), tag.equals("tcp") ? "" : tag);
        }
        return new OfService(
                subject.getLast(), String.join(".", subject.subList(0, subject.size() - 1)));
    }

    private static boolean isRfc2782(List<String> subject) {
        return subject.size() == 2
                && subject.get(0).startsWith("_")
                && subject.get(1).startsWith("_");
    }
}
