package registry.agent.http;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import registry.agent.config.CheckDefinition;
import registry.agent.config.ServiceDefinition;
import registry.api.CatalogDeregistration;
import registry.api.CatalogRegistration;
import registry.api.HealthCheck;
import registry.api.HealthCheckDefinition;
import registry.api.Node;
import registry.api.NodeService;
import registry.api.ServiceAddress;
import registry.api.Txn;
import registry.api.Weights;

/**
 * From bodies of requests to the records they stand for; their content is judged elsewhere. Source:
 * consul-api 3.1, 3.3, 6.1.
 */
final class Definitions {
    private static final byte[] NOTHING = {'{', '}'};

    private Definitions() {}

    /** The body of {@code PUT /v1/agent/service/register}. */
    static ServiceDefinition service(byte[] json) {
        return GoBody.read(
                json,
                body -> {
                    String id = body.text("ID");
                    String name = body.text("Name");
                    var checks = new ArrayList<CheckDefinition>();
                    var single = body.object(check -> check(check, "CheckID"), "Check");
                    if (single != null) {
                        checks.add(single);
                    }
                    checks.addAll(body.objects(check -> check(check, "CheckID"), "Checks"));
                    var service =
                            new ServiceDefinition(
                                    id.isEmpty() ? name : id,
                                    name,
                                    body.texts("Tags"),
                                    body.text("Address"),
                                    body.number("Port"),
                                    orEmpty(body.textMap("Meta")),
                                    orEmpty(taggedAddresses(body)),
                                    weights(body),
                                    body.flag("EnableTagOverride", "enable_tag_override"),
                                    body.text("Kind"),
                                    body.text("Token"),
                                    List.copyOf(checks));
                    body.ignore("Proxy", "Connect");
                    return service;
                });
    }

    /** The body of {@code PUT /v1/agent/check/register}. */
    static CheckDefinition check(byte[] json) {
        return GoBody.read(json, body -> check(body, "ID"));
    }

    private static CheckDefinition check(GoBody body, String idName) {
        return new CheckDefinition(
                body.text(idName),
                body.text("Name"),
                body.text("Notes"),
                body.text("ServiceID", "service_id"),
                body.text("Status"),
                body.text("Token"),
                body.texts("Args", "ScriptArgs", "script_args"),
                body.text("Shell"),
                body.text("DockerContainerID", "docker_container_id"),
                body.text("HTTP"),
                body.text("Method"),
                body.listMap("Header"),
                body.text("Body"),
                body.flag("TLSSkipVerify", "tls_skip_verify"),
                body.text("TCP"),
                body.text("GRPC"),
                body.flag("GRPCUseTLS", "grpc_use_tls"),
                body.text("AliasNode", "alias_node"),
                body.text("AliasService", "alias_service"),
                body.duration("Interval"),
                body.duration("Timeout"),
                body.duration("TTL"),
                body.number("SuccessBeforePassing", "success_before_passing"),
                body.number("FailuresBeforeCritical", "failures_before_critical"),
                body.duration(
                        "DeregisterCriticalServiceAfter", "deregister_critical_service_after"),
                body.number("OutputMaxSize", "output_max_size"));
    }

    /** The body of {@code PUT /v1/agent/check/update/ID}: status and output. */
    record Result(String status, String output) {}

    static Result result(byte[] json) {
        return GoBody.read(json, body -> new Result(body.text("Status"), body.text("Output")));
    }

    /** The body of {@code PUT /v1/catalog/register}. */
    static CatalogRegistration registration(byte[] json) {
        return GoBody.read(
                json,
                body -> {
                    var checks = new ArrayList<>(body.objects(Definitions::catalogCheck, "Checks"));
                    HealthCheck single = body.object(Definitions::catalogCheck, "Check");
                    if (single != null) {
                        checks.add(single);
                    }
                    var registration =
                            new CatalogRegistration(
                                    body.text("Datacenter"),
                                    body.text("ID"),
                                    body.text("Node"),
                                    body.text("Address"),
                                    body.textMap("TaggedAddresses"),
                                    body.textMap("NodeMeta"),
                                    body.object(Definitions::catalogService, "Service"),
                                    List.copyOf(checks),
                                    body.flag("SkipNodeUpdate"));
                    body.ignore("Token");
                    return registration;
                });
    }

    /** The body of {@code PUT /v1/txn}. */
    static List<Txn.Op> txn(byte[] json) {
        return GoBody.readList(
                json,
                "api.TxnOps",
                op ->
                        new Txn.Op(
                                op.object(Definitions::txnKv, "KV"),
                                op.object(Definitions::txnNode, "Node"),
                                op.object(Definitions::txnService, "Service"),
                                op.object(Definitions::txnCheck, "Check")));
    }

    private static Txn.Kv txnKv(GoBody op) {
        return new Txn.Kv(
                op.text("Verb"),
                op.text("Key"),
                op.bytes("Value"),
                op.unsigned("Flags"),
                op.unsigned("Index"),
                op.text("Session"));
    }

    private static Txn.OfNode txnNode(GoBody op) {
        Node node = op.object(Definitions::catalogNode, "Node");
        return new Txn.OfNode(
                op.text("Verb"), node == null ? new Node("", "", "", "", null, null, 0, 0) : node);
    }

    private static Node catalogNode(GoBody body) {
        return new Node(
                body.text("ID"),
                body.text("Node"),
                body.text("Address"),
                body.text("Datacenter"),
                body.textMap("TaggedAddresses"),
                body.textMap("Meta"),
                body.unsigned("CreateIndex"),
                body.unsigned("ModifyIndex"));
    }

    private static Txn.OfService txnService(GoBody op) {
        NodeService service = op.object(Definitions::txnInstance, "Service");
        return new Txn.OfService(
                op.text("Verb"),
                op.text("Node"),
                service == null ? GoBody.read(NOTHING, Definitions::txnInstance) : service);
    }

    /** An agent's service in Consul's terms, which has more members than the catalogue's. */
    private static NodeService txnInstance(GoBody body) {
        body.ignore("ContentHash", "Datacenter");
        return catalogService(body);
    }

    private static Txn.OfCheck txnCheck(GoBody op) {
        HealthCheck check = op.object(Definitions::catalogCheck, "Check");
        return new Txn.OfCheck(
                op.text("Verb"),
                check == null ? GoBody.read(NOTHING, Definitions::catalogCheck) : check);
    }

    private static NodeService catalogService(GoBody body) {
        var service =
                new NodeService(
                        body.text("Kind"),
                        body.text("ID"),
                        body.text("Service"),
                        body.texts("Tags"),
                        body.text("Address"),
                        taggedAddresses(body),
                        body.textMap("Meta"),
                        body.number("Port"),
                        weights(body),
                        body.flag("EnableTagOverride", "enable_tag_override"),
                        0,
                        body.unsigned("ModifyIndex"));
        body.ignore("Proxy", "Connect", "CreateIndex");
        return service;
    }

    private static HealthCheck catalogCheck(GoBody body) {
        HealthCheckDefinition definition = body.object(Definitions::definition, "Definition");
        var check =
                new HealthCheck(
                        body.text("Node"),
                        body.text("CheckID"),
                        body.text("Name"),
                        body.text("Status"),
                        body.text("Notes"),
                        body.text("Output"),
                        body.text("ServiceID"),
                        body.text("ServiceName"),
                        body.texts("ServiceTags"),
                        body.text("Type"),
                        definition == null ? HealthCheckDefinition.NONE : definition,
                        0,
                        body.unsigned("ModifyIndex"));
        body.ignore("CreateIndex");
        return check;
    }

    private static HealthCheckDefinition definition(GoBody body) {
        return new HealthCheckDefinition(
                body.duration("Interval", "IntervalDuration"),
                body.duration("Timeout", "TimeoutDuration"),
                body.duration(
                        "DeregisterCriticalServiceAfter", "DeregisterCriticalServiceAfterDuration"),
                orNull(body.text("HTTP")),
                headers(body),
                orNull(body.text("Method")),
                orNull(body.text("Body")),
                body.flag("TLSSkipVerify"),
                orNull(body.text("TCP")),
                body.number("OutputMaxSize"),
                listOrNull(body.texts("ScriptArgs")),
                orNull(body.text("DockerContainerID")),
                orNull(body.text("Shell")),
                orNull(body.text("GRPC")),
                body.flag("GRPCUseTLS"),
                orNull(body.text("AliasNode")),
                orNull(body.text("AliasService")),
                body.duration("TTL"));
    }

    private static @Nullable SortedMap<String, List<String>> headers(GoBody body) {
        var headers = body.listMap("Header");
        return headers.isEmpty() ? null : new TreeMap<>(headers);
    }

    /** The body of {@code PUT /v1/catalog/deregister}. */
    static CatalogDeregistration deregistration(byte[] json) {
        return GoBody.read(
                json,
                body -> {
                    var deregistration =
                            new CatalogDeregistration(
                                    body.text("Datacenter"),
                                    body.text("Node"),
                                    body.text("ServiceID"),
                                    body.text("CheckID"));
                    body.ignore("Token");
                    return deregistration;
                });
    }

    private static @Nullable SortedMap<String, ServiceAddress> taggedAddresses(GoBody body) {
        Function<GoBody, ServiceAddress> reader =
                address -> new ServiceAddress(address.text("Address"), address.number("Port"));
        return body.objectMap(reader, "TaggedAddresses", "tagged_addresses");
    }

    /** Of weights that are given, an absent member is 0; absent weights are 1 and 1. */
    private static Weights weights(GoBody body) {
        Weights given =
                body.object(
                        weights ->
                                new Weights(weights.number("Passing"), weights.number("Warning")),
                        "Weights");
        return given == null ? Weights.DEFAULT : given;
    }

    private static <T> SortedMap<String, T> orEmpty(@Nullable SortedMap<String, T> map) {
        return map == null ? Collections.emptySortedMap() : map;
    }

    private static @Nullable String orNull(String text) {
        return text.isEmpty() ? null : text;
    }

    private static @Nullable List<String> listOrNull(List<String> list) {
        return list.isEmpty() ? null : list;
    }

    /**
     * Whether a flag of the URL says yes; null when it is neither. Source:
     * pkg.go.dev/strconv#ParseBool
     */
    static @Nullable Boolean bool(String text) {
        return switch (text) {
            case "1", "t", "T", "true", "TRUE", "True" -> true;
            case "0", "f", "F", "false", "FALSE", "False" -> false;
            default -> null;
        };
    }
}
