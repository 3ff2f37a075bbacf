package registry.server.filter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import registry.api.ApiException;
import registry.api.NodeService;
import registry.api.Weights;

class FilterTest {
    private static final NodeService WEB =
            new NodeService(
                    "",
                    "web1",
                    "web",
                    List.of("primary", "v1"),
                    "10.0.0.1",
                    null,
                    new TreeMap<>(Map.of("version", "4", "a-b", "x y")),
                    8000,
                    new Weights(1, 2),
                    false,
                    1,
                    1);

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "Service == web | true",
                "Service==\"web\" | true",
                "Service != web | false",
                "Service == Web | false",
                "eb in Service | true",
                "Service contains eb | true",
                "Service not contains eb | false",
                "Service matches \"^w.b$\" | true",
                "Service not matches `^w` | false",
                "Port == 8000 | true",
                "Port != 8000 | false",
                "EnableTagOverride == f | true",
                "primary in Tags | true",
                "prim in Tags | false",
                "zz not in Tags | true",
                "Tags contains v1 | true",
                "Tags is not empty | true",
                "Meta is empty | false",
                "version in Meta | true",
                "Meta.version == 4 | true",
                "Meta[\"a-b\"] == \"x y\" | true",
                "Meta.none == 4 | false",
                "Meta.none != 4 | true",
                "4 in Meta.none | false",
                "Meta.none matches 4 | false",
                "Meta.none not matches 4 | true",
                "TaggedAddresses is empty | true",
                "TaggedAddresses.lan.Port == 1 | false",
                "TaggedAddresses.lan.Port != 1 | true",
                "Weights.Warning == 2 | true",
                "not Service == web | false",
                "not not Service == web | true",
                "Port == 1 or Service == web and Port == 8000 | true",
                "(Port == 1 or Service == web) and Port == 1 | false",
                "not ( Port == 1 ) and Service == web | true",
            })
    void judgesAsConsulDoes(String filter, boolean taken) {
        assertThat(Filter.of(filter, Schemas.NODE_SERVICE).test(WEB)).isEqualTo(taken);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "xx|1:3 (2): no match found, expected: \"!=\", \".\", \"==\", \"[\", [ \\t\\r\\n] or [a-zA-Z0-9_]",
                "bad |1:5 (4): no match found, expected: \"!=\", \"==\", \"contains\", \"in\", \"is\", \"matches\", \"not\" or [ \\t\\r\\n]",
                "Foo == x|Selector \"Foo\" is not valid",
                "Weights == x|Selector \"Weights\" is not valid",
                "Meta.version is not empty|Invalid match operator \"Is Not Empty\" for selector \"Meta.version\"",
                "Port == abc|Failed to coerce value \"abc\" for selector \"Port\": strconv.ParseInt: parsing \"abc\": invalid syntax",
            })
    void refusesInConsulsWords(String filter, String why) {
        assertThatThrownBy(() -> Filter.of(filter, Schemas.NODE_SERVICE))
                .isInstanceOf(ApiException.class)
                .hasMessage("Failed to create boolean expression evaluator: " + why);
    }

    @Test
    void depthLengthAndRepetitionsAreBounded() {
        String ok = "(".repeat(16) + "Port == 1" + ")".repeat(16);
        assertThat(Filter.of(ok, Schemas.NODE_SERVICE).test(WEB)).isFalse();
        for (String bad :
                List.of(
                        "(" + ok + ")",
                        "(".repeat(4000),
                        "not ".repeat(17) + "Port == 1",
                        "Service == " + "x".repeat(5000),
                        "Service matches `((a{1000}){1000}){1000}`",
                        "Service matches `" + "(".repeat(2000) + "`",
                        "Service matches `a**[`")) {
            assertThatThrownBy(() -> Filter.of(bad, Schemas.NODE_SERVICE))
                    .isInstanceOf(ApiException.class);
        }
    }

    @Test
    void anyTextIsAFilterOrIsRefused() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        String[] words = {
            "Service", "Port", "Meta", ".", "version", "==", "!=", " ", " ", " in ", " not ",
            " contains ", " matches ", " is ", "empty", "(", ")", " and ", " or ", "[", "]", "\"",
            "`", "\\", "1", "-", "é", "\n", "*", "{9,}"
        };
        for (int i = 0; i < 50_000; i++) {
            var text = new StringBuilder();
            for (int n = random.nextInt(14); n >= 0; n--) {
                text.append(words[random.nextInt(words.length)]);
            }
            try {
                boolean unused = Filter.of(text.toString(), Schemas.NODE_SERVICE).test(WEB);
            } catch (ApiException e) {
                assertThat(e.text()).as("seed %s: %s", seed, text).startsWith("Failed to create");
            }
        }
    }

    @Test
    void connectivesAgreeWithANaiveEvaluation() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int i = 0; i < 5_000; i++) {
            var text = new StringBuilder();
            boolean expected = or(random, text, 5);
            assertThat(Filter.of(text.toString(), Schemas.NODE_SERVICE).test(WEB))
                    .as("seed %s: %s", seed, text)
                    .isEqualTo(expected);
        }
    }

    private static boolean or(Random random, StringBuilder out, int depth) {
        boolean value = and(random, out, depth);
        for (int n = random.nextInt(3); n > 0; n--) {
            out.append(" or ");
            value |= and(random, out, depth);
        }
        return value;
    }

    private static boolean and(Random random, StringBuilder out, int depth) {
        boolean value = unary(random, out, depth);
        for (int n = random.nextInt(3); n > 0; n--) {
            out.append(" and ");
            value &= unary(random, out, depth);
        }
        return value;
    }

    private static boolean unary(Random random, StringBuilder out, int depth) {
        switch (depth == 0 ? 3 : random.nextInt(6)) {
            case 0 -> {
                out.append("not ");
                return !unary(random, out, depth - 1);
            }
            case 1 -> {
                out.append('(');
                boolean value = or(random, out, Math.min(depth - 1, 1));
                out.append(')');
                return value;
            }
            default -> {
                boolean value = random.nextBoolean();
                out.append(value ? "Port == 8000" : "Service == no");
                return value;
            }
        }
    }
}
