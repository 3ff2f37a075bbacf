package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** {@code registry members}: the gossip members that the agent knows. */
final class MembersCommand implements Command {
    private static final String ALL_SEGMENTS = "_all";
    private static final int NOBODY = 2;
    private static final List<String> STATUSES =
            List.of("none", "alive", "leaving", "left", "failed");

    /** What the table shows of a member. */
    private record Row(String name, String address, String status, Map<String, String> tags) {}

    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Lists the members of the cluster. Exits with 2 when none matches.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .onOff("detailed", "Shows all tags of each member.")
                        .text("segment", "Only members of this segment.")
                        .text(
                                "status",
                                "Only members whose status this regular expression matches: alive, left, failed, leaving.")
                        .onOff("wan", "Members of the WAN pool."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        Pattern status = status(flags.get("status", ".*"));
        String segment = flags.get("segment", ALL_SEGMENTS);
        boolean wan = flags.isOn("wan");
        var query =
                new Query()
                        .addIf(wan, "wan", "1")
                        .addIf(!wan || flags.isGiven("segment"), "segment", segment);
        JsonNode members;
        try (var agent = AgentConnection.open(flags, terminal)) {
            members = agent.getJson("Error retrieving members", "/v1/agent/members", query);
        }
        var rows = new ArrayList<Row>();
        for (JsonNode member : members) {
            Row row = row(member, segment);
            if (status.matcher(row.status()).matches()) {
                rows.add(row);
            }
        }
        if (rows.isEmpty()) {
            return NOBODY;
        }
        rows.sort(Comparator.comparing(Row::name));
        terminal.say(flags.isOn("detailed") ? detailed(rows) : plain(rows));
        return 0;
    }

    private static Pattern status(String filter) throws Failure {
        try {
            return Pattern.compile(filter);
        } catch (PatternSyntaxException e) {
            String reason =
                    e.getDescription().startsWith("Unclosed group")
                            ? "missing closing ): `" + filter + "`"
                            : e.getDescription() + ": `" + filter + "`";
            throw new Failure("Failed to compile status regexp: error parsing regexp: " + reason);
        }
    }

    private static Row row(JsonNode member, String segment) {
        var tags = new TreeMap<String, String>();
        member.path("Tags")
                .properties()
                .forEach(tag -> tags.put(tag.getKey(), tag.getValue().asText("")));
        if (tags.getOrDefault("segment", "").isEmpty()) {
            boolean everywhere = segment.equals(ALL_SEGMENTS) && "consul".equals(tags.get("role"));
            tags.put("segment", everywhere ? "<all>" : "<default>");
        }
        int status = member.path("Status").asInt(0);
        String host = member.path("Addr").asText("");
        return new Row(
                member.path("Name").asText(""),
                (host.contains(":") ? "[" + host + "]" : host)
                        + ":"
                        + member.path("Port").asText(""),
                status >= 0 && status < STATUSES.size() ? STATUSES.get(status) : "none",
                tags);
    }

    private static String plain(List<Row> rows) {
        var table =
                new Table(2)
                        .row(
                                "Node",
                                "Address",
                                "Status",
                                "Type",
                                "Build",
                                "Protocol",
                                "DC",
                                "Segment");
        for (Row row : rows) {
            Map<String, String> tags = row.tags();
            String type =
                    switch (tags.getOrDefault("role", "")) {
                        case "node" -> "client";
                        case "consul" -> "server";
                        default -> "unknown";
                    };
            String build = tags.getOrDefault("build", "");
            int colon = build.indexOf(':');
            build = build.isEmpty() ? "< 0.3" : colon < 0 ? build : build.substring(0, colon);
            if (type.equals("unknown")) {
                table.row(row.name(), row.address(), row.status(), type, "", "", "", "");
            } else {
                table.row(
                        row.name(),
                        row.address(),
                        row.status(),
                        type,
                        build,
                        tags.getOrDefault("vsn", ""),
                        tags.getOrDefault("dc", ""),
                        tags.getOrDefault("segment", ""));
            }
        }
        return table.text();
    }

    private static String detailed(List<Row> rows) {
        var table = new Table(2).row("Node", "Address", "Status", "Tags");
        for (Row row : rows) {
            List<String> tags =
                    row.tags().entrySet().stream()
                            .map(tag -> tag.getKey() + "=" + tag.getValue())
                            .toList();
            table.row(row.name(), row.address(), row.status(), String.join(",", tags));
        }
        return table.text();
    }
}
