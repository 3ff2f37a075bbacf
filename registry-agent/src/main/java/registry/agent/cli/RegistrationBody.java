package registry.agent.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import registry.agent.config.CheckDefinition;
import registry.agent.config.ServiceDefinition;
import registry.api.ServiceAddress;
import registry.api.json.GoDuration;

/** A definition as {@code /v1/agent/service/register} takes it: what is not set is left out. */
final class RegistrationBody {
    private RegistrationBody() {}

    static ObjectNode of(ServiceDefinition service) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.put("ID", service.id());
        body.put("Name", service.name());
        service.tags().forEach(body.putArray("Tags")::add);
        putGiven(body, "Address", service.address());
        putGiven(body, "Kind", service.kind());
        putGiven(body, "Token", service.token());
        body.put("Port", service.port());
        body.put("EnableTagOverride", service.enableTagOverride());
        service.meta().forEach(body.putObject("Meta")::put);
        ObjectNode tagged = body.putObject("TaggedAddresses");
        for (Map.Entry<String, ServiceAddress> entry : service.taggedAddresses().entrySet()) {
            tagged.putObject(entry.getKey())
                    .put("Address", entry.getValue().address())
                    .put("Port", entry.getValue().port());
        }
        body.putObject("Weights")
                .put("Passing", service.weights().passing())
                .put("Warning", service.weights().warning());
        var checks = body.putArray("Checks");
        service.checks().forEach(check -> checks.add(of(check)));
        return body;
    }

    private static ObjectNode of(CheckDefinition check) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        putGiven(body, "CheckID", check.id());
        putGiven(body, "Name", check.name());
        putGiven(body, "Notes", check.notes());
        putGiven(body, "Status", check.status());
        if (!check.args().isEmpty()) {
            check.args().forEach(body.putArray("Args")::add);
        }
        putGiven(body, "Shell", check.shell());
        putGiven(body, "DockerContainerID", check.dockerContainerId());
        putGiven(body, "HTTP", check.http());
        putGiven(body, "Method", check.method());
        if (!check.header().isEmpty()) {
            ObjectNode header = body.putObject("Header");
            check.header().forEach((name, values) -> values.forEach(header.putArray(name)::add));
        }
        putGiven(body, "Body", check.body());
        putSet(body, "TLSSkipVerify", check.tlsSkipVerify());
        putGiven(body, "TCP", check.tcp());
        putGiven(body, "GRPC", check.grpc());
        putSet(body, "GRPCUseTLS", check.grpcUseTls());
        putGiven(body, "AliasNode", check.aliasNode());
        putGiven(body, "AliasService", check.aliasService());
        putSpan(body, "Interval", check.interval());
        putSpan(body, "Timeout", check.timeout());
        putSpan(body, "TTL", check.ttl());
        putCount(body, "SuccessBeforePassing", check.successBeforePassing());
        putCount(body, "FailuresBeforeCritical", check.failuresBeforeCritical());
        putSpan(body, "DeregisterCriticalServiceAfter", check.deregisterCriticalServiceAfter());
        putCount(body, "OutputMaxSize", check.outputMaxSize());
        return body;
    }

    static void putGiven(ObjectNode body, String name, String text) {
        if (!text.isEmpty()) {
            body.put(name, text);
        }
    }

    private static void putSet(ObjectNode body, String name, boolean value) {
        if (value) {
            body.put(name, true);
        }
    }

    private static void putCount(ObjectNode body, String name, int count) {
        if (count != 0) {
            body.put(name, count);
        }
    }

    private static void putSpan(ObjectNode body, String name, @Nullable Duration span) {
        if (span != null) {
            body.put(name, GoDuration.format(span));
        }
    }
}
