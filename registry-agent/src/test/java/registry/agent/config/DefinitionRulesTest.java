package registry.agent.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import registry.api.ServiceAddress;
import registry.api.Weights;

class DefinitionRulesTest {
    @Test
    void metadataIsLimited() {
        var meta = new TreeMap<String, String>();
        for (int n = 0; n < 64; n++) {
            meta.put("k" + n, "v");
        }
        assertThat(DefinitionRules.metaFault(meta)).isEmpty();
        meta.put("k64", "v");
        assertThat(DefinitionRules.metaFault(meta))
                .contains("Node metadata cannot contain more than 64 key/value pairs");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | Key cannot be blank",
                "a b | Key contains invalid characters",
                "consul-x | Key prefix 'consul-' is reserved for internal use"
            })
    void metadataKeysAreLimited(String key, String reason) {
        assertThat(DefinitionRules.metaFault(new TreeMap<>(Map.of(key, "v"))))
                .contains("Couldn't load metadata pair ('%s', 'v'): %s".formatted(key, reason));
    }

    @Test
    void metadataLengthsAreLimited() {
        assertThat(
                        DefinitionRules.metaFault(
                                new TreeMap<>(Map.of("k".repeat(128), "v".repeat(512)))))
                .isEmpty();
        assertThat(
                        DefinitionRules.metaFault(new TreeMap<>(Map.of("k".repeat(129), "v")))
                                .orElseThrow())
                .endsWith("Key is too long (limit: 128 characters)");
        assertThat(
                        DefinitionRules.metaFault(new TreeMap<>(Map.of("k", "v".repeat(513))))
                                .orElseThrow())
                .endsWith("Value is too long (limit: 512 characters)");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "1 | 0 | ''",
                "0 | 1 | Passing must be greater than 0",
                "1 | -1 | Warning must be greater or equal than 0",
                "70000 | 0 | DNS Weight must be between 0 and 65535"
            })
    void weightsAreLimited(int passing, int warning, String fault) {
        assertThat(DefinitionRules.weightsFault(new Weights(passing, warning)).orElse(""))
                .isEqualTo(fault);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "lan_ipv4 | ::1 | Service tagged address \"lan_ipv4\" must be a valid ipv4 address",
                "wan_ipv6 | 1.2.3.4 | Service tagged address \"wan_ipv6\" must be a valid ipv6 address",
                "lan_ipv4 | 1.2.3.4 | ''",
                "lan | a.name | ''"
            })
    void taggedAddressesKeepTheirPromise(String tag, String address, String fault) {
        var addresses = new TreeMap<>(Map.of(tag, new ServiceAddress(address, 1)));
        assertThat(DefinitionRules.taggedAddressFault(addresses).orElse("")).isEqualTo(fault);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1.2.3",
                "0x7f.1",
                "1",
                "localhost",
                "",
                "1.2.3.4.5",
                "1.2.3.400",
                "[::1]",
                "a::g"
            })
    void whatIsNoAddressIsNone(String text) {
        assertThat(IpText.isIp(text)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.2.3.4", "::1", "fe80::1", "::ffff:1.2.3.4", "0.0.0.0", "::"})
    void whatIsAnAddressIsOne(String text) {
        assertThat(IpText.isIp(text)).isTrue();
    }
}
