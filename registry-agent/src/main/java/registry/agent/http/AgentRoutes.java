package registry.agent.http;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import registry.agent.config.AgentConfig;
import registry.agent.gossip.Membership;
import registry.api.ApiException;
import registry.api.Member;

/** {@code /v1/agent}: the agent itself, its members, its life. Source: consul-api 3.5. */
final class AgentRoutes {
    /** The version that clients are told: the reference whose behaviour is served. */
    static final String VERSION = "1.9.8";

    private static final List<Integer> ORIGIN = List.of(0, 0, 0, 0, 0, 0, 0, 0);

    private final AgentConfig config;
    private final Membership membership;
    private final AgentControl control;

    AgentRoutes(AgentConfig config, Membership membership, AgentControl control) {
        this.config = config;
        this.membership = membership;
        this.control = control;
    }

    /** {@code Config} of {@code /v1/agent/self}. */
    record SelfConfig(
            String datacenter,
            String nodeName,
            String nodeId,
            String revision,
            boolean server,
            String version) {}

    /** The network coordinate of a node that was not measured. */
    record Coordinate(List<Integer> vec, double error, double adjustment, double height) {}

    /** The body of {@code /v1/agent/self}. */
    record Self(
            SelfConfig config,
            SortedMap<String, Object> debugConfig,
            Coordinate coord,
            Member member,
            SortedMap<String, SortedMap<String, String>> stats,
            @Nullable SortedMap<String, String> meta) {}

    void addTo(RouteTable.Builder table) {
        table.plain("GET", "/v1/agent/self", Handler.plain(r -> Answer.json(r, self())));
        table.plain("GET", "/v1/agent/version", Handler.plain(AgentRoutes::version));
        table.plain("GET", "/v1/agent/members", Handler.plain(this::members));
        table.plain("PUT", "/v1/agent/join/", Handler.plain(this::join));
        table.plain("PUT", "/v1/agent/force-leave/", Handler.plain(this::forceLeave));
        table.plain(
                "PUT",
                "/v1/agent/leave",
                Handler.plain(request -> {
                    control.leave();
                    return Answer.empty(200);
                }));
        table.plain(
                "PUT",
                "/v1/agent/reload",
                Handler.plain(request -> {
                    control.reload();
                    return Answer.empty(200);
                }));
    }

    private Self self() {
        var debug = new TreeMap<String, Object>();
        debug.put("Datacenter", config.datacenter());
        debug.put("NodeName", config.nodeName());
        debug.put("ServerMode", config.server());
        debug.put("DevMode", config.devMode());
        debug.put("BootstrapExpect", config.bootstrapExpect());
        debug.put("DataDir", config.dataDir() == null ? "" : config.dataDir().toString());
        debug.put("ClientAddrs", config.clientAddrs());
        debug.put("HTTPPort", config.ports().http());
        debug.put("ServerPort", config.ports().server());
        debug.put("SerfPortLAN", config.ports().serfLan());
        debug.put("LogLevel", config.logLevel());
        debug.put("EnableDebug", config.enableDebug());
        debug.put("EnableLocalScriptChecks", config.enableLocalScriptChecks());
        debug.put("EnableRemoteScriptChecks", config.enableScriptChecks());
        return new Self(
                new SelfConfig(
                        config.datacenter(),
                        config.nodeName(),
                        control.node().id(),
                        "",
                        config.server(),
                        VERSION),
                debug,
                new Coordinate(ORIGIN, 1.5, 0, 1e-5),
                membership.self(),
                control.stats(),
                control.node().meta());
    }

    private static Answer version(Request request) {
        var version = new TreeMap<String, Object>();
        version.put("SHA", "");
        version.put("BuildDate", "0001-01-01T00:00:00Z");
        version.put("HumanVersion", VERSION);
        version.put("FIPS", "");
        return Answer.json(request, version);
    }

    private Answer members(Request request) {
        boolean wan = !request.query().first("wan").isEmpty();
        String segment = request.query().first("segment");
        if (wan && !segment.isEmpty()) {
            throw ApiException.badRequest("Cannot provide a segment with wan=true");
        }
        if (!segment.isEmpty() && !segment.equals("_all")) {
            throw ApiException.refused(
                    "Network segments are not supported in this version of Consul");
        }
        List<Member> members = membership.members();
        return Answer.json(request, wan ? wanMembers(members) : members);
    }

    /** The servers by the names and ports they would have among datacenters. */
    private List<Member> wanMembers(List<Member> members) {
        var servers = new ArrayList<Member>();
        for (Member member : members) {
            SortedMap<String, String> tags = new TreeMap<>(member.tags());
            String port = tags.remove("wan_join_port");
            if ("consul".equals(tags.get("role"))) {
                servers.add(
                        new Member(
                                member.name() + "." + config.datacenter(),
                                member.addr(),
                                port == null ? config.ports().serfWan() : Integer.parseInt(port),
                                tags,
                                member.status(),
                                member.protocolMin(),
                                member.protocolMax(),
                                member.protocolCur(),
                                member.delegateMin(),
                                member.delegateMax(),
                                member.delegateCur()));
            }
        }
        return servers;
    }

    private Answer join(Request request) {
        if (request.rest().isEmpty()) {
            throw ApiException.badRequest("Missing address to join");
        }
        membership.join(List.of(request.rest()));
        return Answer.empty(200);
    }

    private Answer forceLeave(Request request) {
        membership.forceLeave(request.rest(), request.query().has("prune"));
        return Answer.empty(200);
    }

    /** The answers to {@code enable} of the maintenance routes. */
    static boolean enable(Request request) {
        if (!request.query().has("enable")) {
            throw ApiException.badRequest("Missing value for enable");
        }
        String text = request.query().first("enable");
        Boolean enable = Definitions.bool(text);
        if (enable == null) {
            throw ApiException.badRequest("Invalid value for enable: \"" + text + "\"");
        }
        return enable;
    }
}
