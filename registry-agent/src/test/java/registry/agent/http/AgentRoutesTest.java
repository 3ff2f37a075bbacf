package registry.agent.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import registry.api.json.Json;

/**
 * The agent's own services and checks, through each door. Expected texts are those captured of
 * Consul 1.9.8.
 */
@ParameterizedClass
@EnumSource(TestApi.Through.class)
class AgentRoutesTest {
    @Parameter TestApi.Through through;

    private TestApi api;

    @BeforeEach
    void start() throws IOException {
        api = TestApi.start(through);
    }

    @AfterEach
    void stop() {
        api.close();
    }

    private Wire.Response put(String path, String json) throws IOException {
        return api.send("PUT", path, json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    private Wire.Response put(String path) throws IOException {
        return api.send("PUT", path);
    }

    private void register(String json) throws IOException {
        var answer = put("/v1/agent/service/register", json);
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        assertThat(answer.body()).isEmpty();
        assertThat(answer.header("Content-Type")).isNull();
    }

    private JsonNode get(String path) throws IOException {
        return Json.tree(api.send("GET", path).body());
    }

    @Test
    void servicesComeAndGo() throws IOException {
        assertThat(api.send("GET", "/v1/agent/services").text()).isEqualTo("{}");
        register("{'ID': 'web1', 'Name': 'web', 'Port': 80, 'Check': {'TTL': '30s'}}");
        assertThat(get("/v1/agent/services").at("/web1/Service").textValue()).isEqualTo("web");
        assertThat(get("/v1/agent/checks").has("service:web1")).isTrue();
        assertThat(put("/v1/agent/service/deregister/web1").status()).isEqualTo(200);
        assertThat(put("/v1/agent/service/deregister/web1").status()).isEqualTo(200);
        assertThat(api.send("GET", "/v1/agent/services").text()).isEqualTo("{}");
        var missing = put("/v1/agent/service/deregister/");
        assertThat(missing.status()).isEqualTo(500);
        assertThat(missing.text()).isEqualTo("ServiceID missing");
        var unknown = api.send("GET", "/v1/agent/service/nope");
        assertThat(unknown.status()).isEqualTo(404);
        assertThat(unknown.text()).isEqualTo("unknown service ID: nope");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'ID': 'x'}|Missing service name",
                "{'Name': 'x', 'Address': '::'}|Invalid service address",
                "{'Name': 'x', 'Weights': {'Passing': 0, 'Warning': 1}}|Invalid Weights: Passing must be greater than 0",
                "{'Name': 'x', 'Check': {'Name': 'y'}}|Invalid check: TTL must be > 0 for TTL checks",
                "{'Name': 'x', 'Check': {'TTL': '1s', 'Status': 'foo'}}|Status for checks must `passing`, `warning`, `critical`"
            })
    void wrongServicesAreRefused(String json, String text) throws IOException {
        var answer = put("/v1/agent/service/register", json);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.text()).isEqualTo(text.replace('`', '\''));
    }

    @Test
    void ttlChecksAreReported() throws IOException {
        put("/v1/agent/check/register", "{'ID': 'i1', 'Name': 'x', 'TTL': '1h'}");
        assertThat(put("/v1/agent/check/pass/i1?note=fine").status()).isEqualTo(200);
        assertThat(get("/v1/agent/checks").at("/i1/Status").textValue()).isEqualTo("passing");
        assertThat(get("/v1/agent/checks").at("/i1/Output").textValue()).isEqualTo("fine");
        put("/v1/agent/check/warn/i1");
        assertThat(get("/v1/agent/checks").at("/i1/Status").textValue()).isEqualTo("warning");
        put("/v1/agent/check/fail/i1");
        assertThat(get("/v1/agent/checks").at("/i1/Status").textValue()).isEqualTo("critical");
        put("/v1/agent/check/update/i1", "{'Status': 'passing', 'Output': 'again'}");
        assertThat(get("/v1/agent/checks").at("/i1/Output").textValue()).isEqualTo("again");
        var wrong = put("/v1/agent/check/update/i1", "{'Status': 'nope'}");
        assertThat(wrong.status()).isEqualTo(400);
        assertThat(wrong.text()).isEqualTo("Invalid check status: 'nope'");
        var unknown = put("/v1/agent/check/pass/nope");
        assertThat(unknown.status()).isEqualTo(500);
        assertThat(unknown.text()).isEqualTo("CheckID \"nope\" does not have associated TTL");
        assertThat(put("/v1/agent/check/deregister/").text()).isEqualTo("CheckID missing");
    }

    @Test
    void aServiceIsWaitedForByItsHash() throws IOException {
        register("{'Name': 'min'}");
        String hash = api.send("GET", "/v1/agent/service/min").header("X-Consul-ContentHash");
        assertThat(get("/v1/agent/service/min").get("ContentHash").textValue()).isEqualTo(hash);
        try (Wire waiting = api.wire();
                Wire other = api.wire();
                Wire brief = api.wire()) {
            brief.get("/v1/agent/service/min?wait=50ms&hash=" + hash);
            assertThat(brief.response().header("X-Consul-ContentHash")).isEqualTo(hash);
            other.get("/v1/agent/service/min?wait=20s&hash=abc");
            assertThat(other.response().header("X-Consul-ContentHash")).isEqualTo(hash);
            waiting.get("/v1/agent/service/min?wait=20s&hash=" + hash);
            register("{'Name': 'min', 'Port': 1}");
            var changed = waiting.response();
            assertThat(changed.header("X-Consul-ContentHash")).isNotEqualTo(hash);
            assertThat(Json.tree(changed.body()).get("Port").intValue()).isEqualTo(1);
        }
    }

    @Test
    void healthIsTheWorstOfAllChecks() throws IOException {
        register("{'ID': 'w1', 'Name': 'web', 'Check': {'TTL': '1h', 'Status': 'passing'}}");
        register("{'ID': 'w2', 'Name': 'web', 'Check': {'TTL': '1h', 'Status': 'warning'}}");
        var one = api.send("GET", "/v1/agent/health/service/id/w1");
        assertThat(one.status()).isEqualTo(200);
        assertThat(one.header("X-Consul-Reason")).isEqualTo("passing");
        var all = api.send("GET", "/v1/agent/health/service/name/web");
        assertThat(all.status()).isEqualTo(429);
        assertThat(Json.tree(all.body())).hasSize(2);
        var text = api.send("GET", "/v1/agent/health/service/name/web", "Accept: text/plain");
        assertThat(text.text()).isEqualTo("warning");
        assertThat(text.header("Content-Type")).isEqualTo("text/plain");
        put("/v1/agent/service/maintenance/w1?enable=true&reason=why");
        var maintained = api.send("GET", "/v1/agent/health/service/id/w1?format=text");
        assertThat(maintained.status()).isEqualTo(503);
        assertThat(maintained.text()).isEqualTo("maintenance");
        var unknown = api.send("GET", "/v1/agent/health/service/id/nope");
        assertThat(unknown.status()).isEqualTo(404);
        assertThat(unknown.text())
                .isEqualTo("{\"AggregatedStatus\":\"critical\",\"Service\":null,\"Checks\":null}");
        assertThat(unknown.header("X-Consul-Reason")).isEqualTo("ServiceId nope not found");
        assertThat(api.send("GET", "/v1/agent/health/service/id/nope?format=text").text())
                .isEqualTo("\"ServiceId nope not found\"");
    }

    @Test
    void maintenanceWantsToKnowWhichWay() throws IOException {
        assertThat(put("/v1/agent/maintenance").text()).isEqualTo("Missing value for enable");
        assertThat(put("/v1/agent/maintenance?enable=x").text())
                .isEqualTo("Invalid value for enable: \"x\"");
        put("/v1/agent/maintenance?enable=true&reason=because");
        assertThat(get("/v1/agent/checks").at("/_node_maintenance/Notes").textValue())
                .isEqualTo("because");
        put("/v1/agent/maintenance?enable=false");
        assertThat(get("/v1/agent/checks")).isEmpty();
        var unknown = put("/v1/agent/service/maintenance/nope?enable=true");
        assertThat(unknown.status()).isEqualTo(404);
        assertThat(unknown.text()).isEqualTo("No service registered with ID \"nope\"");
    }

    @Test
    void theAgentTellsOfItself() throws IOException {
        JsonNode self = get("/v1/agent/self");
        assertThat(self.at("/Config/NodeName").textValue()).isEqualTo("n1");
        assertThat(self.at("/Config/NodeID").textValue()).hasSize(36);
        assertThat(self.at("/Member/Name").textValue()).isEqualTo("n1");
        assertThat(get("/v1/agent/members?wan=1").at("/0/Name").textValue()).isEqualTo("n1.dc1");
        assertThat(get("/v1/agent/members?segment=_all")).hasSize(1);
        assertThat(api.send("GET", "/v1/agent/members?segment=x").status()).isEqualTo(500);
        assertThat(api.send("GET", "/v1/agent/members?segment=x&wan=1").status()).isEqualTo(400);
        assertThat(get("/v1/agent/metrics").at("/Gauges/0/Name").textValue())
                .isEqualTo("consul.runtime.alloc_bytes");
        assertThat(api.send("GET", "/v1/agent/metrics?format=prometheus").status()).isEqualTo(415);
        assertThat(get("/v1/agent/host").get("CollectionTime").longValue()).isPositive();
        assertThat(get("/v1/agent/version").get("HumanVersion").textValue()).isNotEmpty();
        assertThat(put("/v1/agent/reload").status()).isEqualTo(200);
        assertThat(put("/v1/agent/leave").status()).isEqualTo(200);
        assertThat(api.control).containsExactly("reload", "leave");
    }

    @Test
    void requestsAreMeasured() throws IOException {
        api.close();
        api =
                TestApi.start(
                        TestApi.Through.OWN,
                        "{\"telemetry\": {\"prometheus_retention_time\": \"1m\", \"disable_hostname\": true}}");
        api.send("PUT", "/v1/kv/a", "x".getBytes(StandardCharsets.UTF_8));
        api.send("GET", "/v1/kv/a");
        api.send("GET", "/v1/kv/a");
        api.send("GET", "/v1/agent/self");
        var answer = api.send("GET", "/v1/agent/metrics?format=prometheus");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header("Content-Type"))
                .isEqualTo("text/plain; version=0.0.4; charset=utf-8");
        assertThat(answer.text())
                .contains(
                        "consul_api_http_count{method=\"GET\",path=\"v1_kv_\"} 2\n",
                        "consul_api_http_count{method=\"PUT\",path=\"v1_kv_\"} 1\n",
                        "consul_api_http_count{method=\"GET\",path=\"v1_agent_self\"} 1\n",
                        "consul_http_GET_v1_kv___count 2\n",
                        "# TYPE consul_runtime_alloc_bytes gauge\n");
    }

    @Test
    void whatIsNotThereSaysSo() throws IOException {
        assertThat(api.send("GET", "/v1/acl/tokens").text()).isEqualTo("ACL support disabled");
        assertThat(put("/v1/agent/token/default", "{'Token': 'x'}").status()).isEqualTo(401);
        var roots = api.send("GET", "/v1/connect/ca/roots");
        assertThat(roots.status()).isEqualTo(500);
        assertThat(roots.text()).isEqualTo("Connect must be enabled in order to use this endpoint");
        assertThat(api.send("GET", "/v1/config/service-defaults").text()).isEqualTo("[]");
        assertThat(api.send("GET", "/v1/config/service-defaults/x").text())
                .isEqualTo("Config entry not found for \"service-defaults\" / \"x\"");
        assertThat(api.send("GET", "/v1/catalog/gateway-services/x").text()).isEqualTo("null");
        assertThat(api.send("GET", "/v1/health/connect/web").text()).isEqualTo("[]");
        assertThat(api.send("GET", "/debug/pprof/").status()).isEqualTo(401);
    }
}
