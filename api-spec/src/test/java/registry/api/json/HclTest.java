package registry.api.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HclTest {
    private static final String CONFIG =
            """
            # a node
            node_name = "web-1" // behind
            server    = true
            ports { http = 8500 dns = -1 }
            retry_join = ["10.0.0.1", /* two */ "10.0.0.2",]
            service {
              name = "web"
              port = 8080
              meta { version = "1.2" }
              check = { http = "http://localhost/${x}/\\"q\\"", interval = "10s" }
            }
            watches = [
              { type = "key", key = "a", args = ["sh", "-c", <<-EOF
                cat
                  done
                EOF
                ] },
            ]
            limits { rpc_rate = 1.5e2, mask = 0x1F }
            """;

    private static String json(String hcl) {
        try {
            return Hcl.parse(hcl).toString();
        } catch (Hcl.SyntaxException e) {
            throw new AssertionError(e.line() + ":" + e.column() + ": " + e.getMessage(), e);
        }
    }

    @Test
    void aConfigurationIsTheTreeThatJsonWouldGive() {
        assertThat(json(CONFIG))
                .isEqualTo(
                        "{\"node_name\":\"web-1\",\"server\":true,\"ports\":{\"http\":8500,\"dns\":-1},"
                                + "\"retry_join\":[\"10.0.0.1\",\"10.0.0.2\"],"
                                + "\"service\":{\"name\":\"web\",\"port\":8080,\"meta\":{\"version\":\"1.2\"},"
                                + "\"check\":{\"http\":\"http://localhost/${x}/\\\"q\\\"\",\"interval\":\"10s\"}},"
                                + "\"watches\":[{\"type\":\"key\",\"key\":\"a\",\"args\":[\"sh\",\"-c\",\"cat\\n  done\\n\"]}],"
                                + "\"limits\":{\"rpc_rate\":150.0,\"mask\":31}}");
    }

    @Test
    void objectsOfOneNameAreAList() {
        assertThat(json("a { x = 1 } a { x = 2 }\na = { x = 3 }"))
                .isEqualTo("{\"a\":[{\"x\":1},{\"x\":2},{\"x\":3}]}");
        assertThat(json("key \"a\" { policy = \"read\" }\nkey \"\" \"b\" { y = false }"))
                .isEqualTo(
                        "{\"key\":[{\"a\":{\"policy\":\"read\"}},{\"\":{\"b\":{\"y\":false}}}]}");
        assertThat(json("a = 1\na = 2")).isEqualTo("{\"a\":2}");
        assertThat(json("\"quoted name\" = 1")).isEqualTo("{\"quoted name\":1}");
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "`a = \"\\u00e9\\t\\x41\\101\\U0001F600\"`, `{\"a\":\"é\\tAA\uD83D\uDE00\"}`",
                "`a = \"${b(\"c\")} d\"`, `{\"a\":\"${b(\"c\")} d\"}`",
                "`a = 010`, `{\"a\":8}`",
                "`a = -7`, `{\"a\":-7}`",
                "`a = 18446744073709551615`, `{\"a\":18446744073709551615}`",
                "`a = []`, `{\"a\":[]}`",
                "`a {}`, `{\"a\":{}}`",
                "`a-b.c_d = true`, `{\"a-b.c_d\":true}`",
                "``, `{}`",
            })
    void valuesOfEachForm(String hcl, String expected) {
        String tree = json(hcl == null ? "" : hcl);
        assertThat(tree.replace("\\\"c\\\"", "\"c\"")).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "`a = `|1|5|`found the end, expected a value`",
                "`a = 1\n\n  b c`|3|6|`found the end, expected '=' or '{' behind \"c\"`",
                "`service {\n name = \"x\"\n`|3|1|`found the end, expected '}'`",
                "`a = [1 2]`|1|8|`found 2, expected ',' or ']'`",
                "`a = web`|1|5|`found web, expected a value; texts stand in quotes`",
                "`a = \"x\nb = 1`|1|5|`the text does not end`",
                "`a = \"\\q\"`|1|6|`unknown escape in a text`",
                "`a = \"\\u12\"`|1|6|`an escape with too few digits`",
                "`}`|1|1|`found '}', expected a name`",
                "`a b = 1`|1|5|`found '=' behind several names, expected '{'`",
                "`a = 1x`|1|5|`found 1x, expected a number`",
                "`/* a`|1|1|`the comment does not end`",
                "`a = <<EOF\nx`|1|5|`the text does not end: no line is EOF`",
                "`a = <<\nx`|1|5|`found '<<', expected a word and a line's end behind it`",
                "`a = 'x'`|1|5|`found '''`",
            })
    void faultsAreSaidWithTheirPlace(String hcl, int line, int column, String message) {
        assertThatThrownBy(() -> Hcl.parse(hcl))
                .isInstanceOfSatisfying(
                        Hcl.SyntaxException.class,
                        e -> {
                            assertThat(e).hasMessage(message);
                            assertThat(e.line()).isEqualTo(line);
                            assertThat(e.column()).isEqualTo(column);
                        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"a {", "[", "[{b = [", "\"a\" "})
    void depthIsBounded(String nest) {
        assertThatThrownBy(() ->
                        Hcl.parse((nest.startsWith("[") ? "a = " : "") + nest.repeat(100_000)))
                .isInstanceOf(Hcl.SyntaxException.class)
                .hasMessage("nested too deeply");
    }

    /** Whatever the text, there is a tree or a fault at a place within it, soon. */
    @Test
    void anyTextIsReadOrRefused() {
        long seed = Long.getLong("registry.property.seed", System.nanoTime());
        var random = new SplittableRandom(seed);
        String alphabet = "{}[]=,\"\\<-$#/* \n\tabE019.xué\0\uD83D";
        for (int round = 0; round < 20_000; round++) {
            var text = new StringBuilder(round % 2 == 0 ? CONFIG : "");
            for (int i = random.nextInt(20); i >= 0; i--) {
                int at = random.nextInt(text.length() + 1);
                if (random.nextBoolean() || at == text.length()) {
                    text.insert(at, alphabet.charAt(random.nextInt(alphabet.length())));
                } else {
                    text.delete(at, Math.min(text.length(), at + random.nextInt(8)));
                }
            }
            try {
                Json.tree(Hcl.parse(text.toString()).toString().getBytes(StandardCharsets.UTF_8));
            } catch (Hcl.SyntaxException e) {
                long lines = text.chars().filter(c -> c == '\n').count() + 1;
                assertThat((long) e.line()).as("seed %d", seed).isBetween(1L, lines);
            } catch (RuntimeException e) {
                fail("seed " + seed + ": " + text, e);
            }
        }
    }
}
