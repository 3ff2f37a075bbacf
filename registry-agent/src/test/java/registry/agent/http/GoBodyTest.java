package registry.agent.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import registry.agent.config.DefinitionRules;
import registry.api.ApiException;
import registry.api.Weights;

/** Bodies are read as Go reads them, and refused in its words. */
class GoBodyTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "``|EOF",
                "` \n`|EOF",
                "{|unexpected EOF",
                "{\"Name\":|unexpected EOF",
                "{\"Name\":\"x|unexpected EOF",
                "{bad|invalid character 'b' looking for beginning of object key string",
                "bad|invalid character 'b' looking for beginning of value",
                "[]|json: cannot unmarshal array into Go value",
                "\"x\"|json: cannot unmarshal string into Go value",
                "{\"Name\":\"x\",\"Unknown\":1}|json: unknown field \"Unknown\"",
                "{\"Name\":\"x\",\"Namespace\":\"f\"}|json: unknown field \"Namespace\" - Namespaces are a Consul Enterprise feature",
                "{\"Port\":\"80\"}|json: cannot unmarshal string into Go struct field .Port of type int",
                "{\"Port\":1.5}|json: cannot unmarshal number into Go struct field .Port of type int",
                "{\"Port\":99999999999}|json: cannot unmarshal number into Go struct field .Port of type int",
                "{\"Name\":7}|json: cannot unmarshal number into Go struct field .Name of type string",
                "{\"Tags\":\"a\"}|json: cannot unmarshal string into Go struct field .Tags of type []string",
                "{\"Check\":{\"TTL\":\"abc\"}}|time: invalid duration \"abc\"",
                "{\"Check\":{\"TTL\":\"10\"}}|time: missing unit in duration \"10\"",
                "{\"Check\":{\"TTL\":1e999}}|json: cannot unmarshal number into Go struct field .Check.TTL of type time.Duration",
                "{\"Check\":{\"TTL\":1e300}}|time: TTL is too long",
                "{\"Check\":{\"ID\":\"x\"}}|json: unknown field \"ID\"",
                "{\"Check\":{\"Script\":\"true\"}}|json: unknown field \"Script\"",
                "{\"Check\":[]}|json: cannot unmarshal array into Go struct field .Check of type struct"
            })
    void faultsAreGos(String json, String text) {
        var error =
                catchThrowableOfType(ApiException.class, () -> Definitions.service(bytes(json)));
        assertThat(error.kind()).isEqualTo(ApiException.Kind.BAD_REQUEST);
        assertThat(error.text()).isEqualTo("Request decode failed: " + text);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "``|EOF",
                "{}|json: cannot unmarshal object into Go value of type api.TxnOps",
                "[1]|json: cannot unmarshal number into Go value",
                "[{\"Kv2\":{}}]|json: unknown field \"Kv2\"",
                "[{\"KV\":{\"Value\":\"!!\"}}]|illegal base64 data at input byte 0",
                "[{\"KV\":{\"Value\":\"YQ\"}}]|illegal base64 data at input byte 2",
                "[{\"KV\":{\"Value\":\"YQ=a\"}}]|illegal base64 data at input byte 2",
                "[{\"KV\":{\"Value\":\"Y===\"}}]|illegal base64 data at input byte 1",
                "[{\"KV\":{\"Flags\":-1}}]|json: cannot unmarshal number into Go struct field .KV.Flags of type uint64",
                "[{\"KV\":{\"Index\":18446744073709551616}}]|json: cannot unmarshal number into Go struct field .KV.Index of type uint64"
            })
    void faultsOfListsToo(String json, String text) {
        var error = catchThrowableOfType(ApiException.class, () -> Definitions.txn(bytes(json)));
        assertThat(error.kind()).isEqualTo(ApiException.Kind.BAD_REQUEST);
        assertThat(error.text()).isEqualTo("Request decode failed: " + text);
    }

    @Test
    void stepsAreReadAsConsulsClientsSendThem() {
        var ops =
                Definitions.txn(
                        bytes(
                                """
                                [null, {"KV":{"Verb":"set","Key":"k","Value":"YQ==","Flags":18446744073709551615}},
                                 {"Service":{"Verb":"get","Node":"n","Service":{"ID":"s","ContentHash":"","Datacenter":""}}},
                                 {"Check":{"Verb":"get"}}, {"Node":null}]\
                                """));
        assertThat(ops).hasSize(5);
        assertThat(ops.get(1).kv().value()).containsExactly('a');
        assertThat(ops.get(1).kv().flags()).isEqualTo(-1);
        assertThat(ops.get(2).service().service().id()).isEqualTo("s");
        assertThat(ops.get(3).check().check().checkId()).isEmpty();
    }

    /**
     * Seen: an id of 18,000 characters came in with a service, and no URL could take it out again.
     */
    @Test
    void idsOfChecksAreLimitedInsideAServiceToo() {
        String json =
                "{\"Name\":\"x\",\"Check\":{\"CheckID\":\"%s\",\"TTL\":\"10s\"}}"
                        .formatted("c".repeat(256));
        assertThat(DefinitionRules.serviceFault(Definitions.service(bytes(json))))
                .contains("Invalid check: Check name and ID are limited to 255 characters");
    }

    @Test
    void depthIsLimited() {
        String deep = "{\"Meta\":" + "{\"a\":".repeat(70) + "1" + "}".repeat(70) + "}";
        var error =
                catchThrowableOfType(ApiException.class, () -> Definitions.service(bytes(deep)));
        assertThat(error.text()).startsWith("Request decode failed: json: nested deeper than 64");
    }

    @Test
    void namesComeInAnyCaseAndWithAliases() {
        var service =
                Definitions.service(
                        bytes(
                                """
                                {"NAME": "web", "enable_tag_override": true, "tags": null, "meta": null,
                                 "tagged_addresses": {"lan": {"address": "10.0.0.9", "port": 1}},
                                 "weights": {"warning": 3},
                                 "Checks": [{"CheckID": "c", "script_args": ["true"], "interval": 10000000000,
                                             "tls_skip_verify": true, "deregister_critical_service_after": "90m"}]}
                                trailing text is not read
                                """));
        assertThat(service.id()).isEqualTo("web");
        assertThat(service.enableTagOverride()).isTrue();
        assertThat(service.tags()).isEmpty();
        assertThat(service.taggedAddresses().get("lan").address()).isEqualTo("10.0.0.9");
        assertThat(service.weights()).isEqualTo(new Weights(0, 3));
        var check = service.checks().getFirst();
        assertThat(check.id()).isEqualTo("c");
        assertThat(check.args()).containsExactly("true");
        assertThat(check.interval()).isEqualTo(Duration.ofSeconds(10));
        assertThat(check.tlsSkipVerify()).isTrue();
        assertThat(check.deregisterCriticalServiceAfter()).isEqualTo(Duration.ofMinutes(90));
    }

    @Test
    void registeredChecksAreNamedById() {
        assertThat(Definitions.check(bytes("{\"ID\":\"i\",\"Name\":\"n\"}")).id()).isEqualTo("i");
        var error =
                catchThrowableOfType(
                        ApiException.class,
                        () -> Definitions.check(bytes("{\"CheckID\":\"i\",\"Name\":\"n\"}")));
        assertThat(error.text())
                .isEqualTo("Request decode failed: json: unknown field \"CheckID\"");
    }

    @Test
    void whatWasReadMayBeRegisteredAgain() {
        var registration =
                Definitions.registration(
                        bytes(
                                """
                                {"Node": "n", "Address": "10.0.0.1", "Service": {"ID": "s", "Service": "s",
                                  "Proxy": {"MeshGateway": {}, "Expose": {}}, "Connect": {}, "CreateIndex": 5, "ModifyIndex": 6},
                                 "Check": {"CheckID": "one", "Definition": {"IntervalDuration": "5s"}},
                                 "Checks": [{"CheckID": "two"}]}
                                """));
        assertThat(registration.service().id()).isEqualTo("s");
        assertThat(registration.service().weights()).isEqualTo(Weights.DEFAULT);
        assertThat(registration.checks()).extracting("checkId").containsExactly("two", "one");
        assertThat(registration.checks().getLast().definition().interval())
                .isEqualTo(Duration.ofSeconds(5));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
