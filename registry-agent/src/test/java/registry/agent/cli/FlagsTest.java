package registry.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Go's rules: pkg.go.dev/flag. */
class FlagsTest {
    private final Flags flags =
            new Flags()
                    .text("data-dir", "")
                    .onOff("server", "")
                    .number("port", "")
                    .texts("join", "")
                    .texts("file", "");

    private Flags parse(String... words) throws Failure, Flags.HelpWanted {
        flags.parse(List.of(words));
        return flags;
    }

    @ParameterizedTest
    @ValueSource(strings = {"-data-dir /x", "-data-dir=/x", "--data-dir /x", "--data-dir=/x"})
    void aValueStandsBehindABlankOrAnEqualsSign(String line) throws Exception {
        assertThat(parse(line.split(" ", -1)).get("data-dir")).isEqualTo("/x");
    }

    @Test
    void aSwitchTakesAValueOnlyBehindTheEqualsSign() throws Exception {
        parse("-server", "false");
        assertThat(flags.isOn("server")).isTrue();
        assertThat(flags.arguments()).containsExactly("false");
        assertThat(parse("-server=false").isOn("server")).isFalse();
    }

    @Test
    void optionsEndAtTheFirstOtherWord() throws Exception {
        parse("-server", "child", "-c", "-server=false");
        assertThat(flags.isOn("server")).isTrue();
        assertThat(flags.arguments()).containsExactly("child", "-c", "-server=false");
    }

    @Test
    void aSingleDashIsAWordAndTwoEndTheOptions() throws Exception {
        assertThat(parse("-").arguments()).containsExactly("-");
        assertThat(parse("--", "-server").arguments()).containsExactly("-server");
    }

    @Test
    void theLastValueCountsUnlessAllDo() throws Exception {
        parse("-data-dir=a", "-join=a", "-data-dir=b", "-join", "b");
        assertThat(flags.get("data-dir")).isEqualTo("b");
        assertThat(flags.all("join")).containsExactly("a", "b");
    }

    @Test
    void orderOverSeveralOptionsIsKept() throws Exception {
        parse("-file=1", "-join=2", "-port=3", "-file=4");
        assertThat(flags.inOrder(Set.of("file", "join"))).containsExactly("1", "2", "4");
    }

    @Test
    void anEmptyValueIsAValue() throws Exception {
        assertThat(parse("-data-dir=").get("data-dir", "absent")).isEmpty();
        assertThat(parse("-data-dir", "-server").get("data-dir")).isEqualTo("-server");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "-nope | flag provided but not defined: -nope",
                "--nope=1 | flag provided but not defined: -nope",
                "-data-dir | flag needs an argument: -data-dir",
                "-server=maybe | invalid boolean value \"maybe\" for -server: parse error",
                "-port=x | invalid value \"x\" for flag -port: parse error",
                "---x | bad flag syntax: ---x",
                "-=x | bad flag syntax: -=x"
            })
    void misuseIsToldInGosWords(String word, String message) {
        assertThatThrownBy(() -> parse(word)).isInstanceOf(Failure.class).hasMessage(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-h", "-help", "--help"})
    void helpIsAlwaysKnown(String word) {
        assertThatThrownBy(() -> parse("-server", word)).isInstanceOf(Flags.HelpWanted.class);
    }
}
