package registry.agent.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import registry.agent.config.DefinitionRules;
import registry.api.ApiException;
import registry.api.KvPair;
import registry.api.ServiceEntry;
import registry.api.json.Json;

/** The examples beside the OpenAPI text are what the records write and what the routes read. */
class ExamplesTest {
    @Test
    void answersAreWrittenByTheRecords() throws IOException {
        assertWritten("health-service", new TypeReference<List<ServiceEntry>>() {});
        assertWritten("kv", new TypeReference<List<KvPair>>() {});
    }

    private static void assertWritten(String name, TypeReference<?> type) throws IOException {
        byte[] example = example(name);
        Object records = Json.mapper().readValue(example, type);
        assertThat(Json.tree(Json.write(records))).isEqualTo(Json.tree(example));
    }

    @Test
    void bodiesAreTakenByTheRoutes() throws IOException {
        var service = Definitions.service(example("agent-service-register"));
        assertThat(DefinitionRules.serviceFault(service)).isEmpty();
        assertThat(service.checks()).hasSize(2);
        var check = Definitions.check(example("agent-check-register"));
        assertThat(DefinitionRules.registeredCheckFault(check)).isEmpty();
        var registration = Definitions.registration(example("catalog-register"));
        assertThat(registration.checks().getFirst().definition().tcp())
                .isEqualTo("192.0.2.21:5432");
    }

    private static byte[] example(String name) throws IOException {
        try (var in = ApiException.class.getResourceAsStream("/examples/" + name + ".json")) {
            return in.readAllBytes();
        }
    }
}
