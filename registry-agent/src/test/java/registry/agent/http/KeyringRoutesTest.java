package registry.agent.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import registry.agent.gossip.KeyringReport;
import registry.api.json.Json;

/** The keys of gossip; expected texts are those captured of Consul 1.9.8. */
class KeyringRoutesTest {
    private static final String PATH = "/v1/operator/keyring";
    private static final String KEY = "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=";

    private TestApi api;

    @BeforeEach
    void start() throws IOException {
        api = TestApi.start(TestApi.Through.OWN);
    }

    @AfterEach
    void stop() {
        api.close();
    }

    @Test
    void withoutEncryptionEachPoolSaysSo() throws IOException {
        var answer = api.send("GET", PATH);
        assertThat(answer.status()).isEqualTo(500);
        assertThat(answer.text())
                .isEqualTo(
                        "4 errors occurred:\n\t* WAN error: 1/1 nodes reported failure\n\t* n1.dc1: Keyring is empty (encryption not enabled)\n\t* dc1 (LAN) error: 1/1 nodes reported failure\n\t* n1: Keyring is empty (encryption not enabled)\n\n");
    }

    @Test
    void keysAreCountedByPool() throws IOException {
        api.members.keyrings =
                new KeyringReport(
                        3,
                        new TreeMap<>(Map.of(KEY, 3)),
                        new TreeMap<>(Map.of(KEY, 2)),
                        new TreeMap<>());
        assertThat(Json.tree(api.send("GET", PATH + "?local-only=1").body()))
                .isEqualTo(
                        Json.tree(
                                """
                                [{"WAN":true,"Datacenter":"dc1","Segment":"","Keys":{"%1$s":1},"PrimaryKeys":{"%1$s":1},"NumNodes":1},
                                 {"WAN":false,"Datacenter":"dc1","Segment":"","Keys":{"%1$s":3},"PrimaryKeys":{"%1$s":2},"NumNodes":3}]
                                """
                                        .formatted(KEY)
                                        .getBytes(UTF_8)));
        assertThat(api.members.rounds).containsExactly("LIST  here");
    }

    @ParameterizedTest
    @CsvSource({"POST, INSTALL", "PUT, USE", "DELETE, REMOVE"})
    void eachMethodDoesItsWork(String method, String op) throws IOException {
        api.members.keyrings =
                new KeyringReport(1, new TreeMap<>(), new TreeMap<>(), new TreeMap<>());
        byte[] body = "{\"Key\": \"%s\"}".formatted(KEY).getBytes(UTF_8);
        var answer = api.send(method, PATH, body);
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        assertThat(answer.body()).isEmpty();
        assertThat(api.members.rounds).containsExactly(op + " " + KEY);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "?relay-factor=9 | Bad request: Invalid relay-factor: Relay factor must be in range: [0, 5]",
                "?local-only=x | Bad request: Error parsing local-only: strconv.ParseBool: parsing \"x\": invalid syntax"
            })
    void faultsInTheQuestionAreTold(String query, String text) throws IOException {
        var answer = api.send("GET", PATH + query);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.text()).isEqualTo(text);
    }
}
