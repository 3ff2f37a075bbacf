package registry.haproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TemplateTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    plain-1.0:80/x | plain-1.0:80/x
                    two words      | 'two words'
                    it's           | 'it'\\''s'
                    a#b            | 'a#b'
                    $HOME          | '$HOME'
                    "x\\"          | '"x\\"'
                    a;b            | 'a;b'
                    Größe          | 'Größe'
                    """)
    void aValueIsOneWord(String value, String written) {
        assertThat(Template.quoted("value", value)).isEqualTo(written);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"a\nb", "a\rb", "\u0000", "\t", "\u001b[2J", "\u007f", "\u0085", "\u2028"})
    void aControlCharacterIsRefused(String value) {
        assertThatThrownBy(() -> Template.quoted("env X", value))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("env X holds a control character");
    }

    @Test
    void mistakesHaveTheirLines() {
        String text =
                "@global\n@nothing\n@servers\n{{env NONE}}\n{{ env BAD }}\n\u0007\n@global x\n";
        assertThatThrownBy(() -> Template.of("/t", text, Map.of("BAD", "a\nlisten evil")))
                .hasMessageContaining("/t:2: @nothing is not one of")
                .hasMessageContaining("/t:3: @servers needs the key")
                .hasMessageContaining("/t:4: env NONE is not set")
                .hasMessageContaining(
                        "/t:5: env BAD holds a control character: \"a\\nlisten evil\"")
                .hasMessageContaining("/t:6: a control character")
                .hasMessageContaining("/t:7: @global takes no key");
        assertThatThrownBy(() -> Template.of("/t", "defaults\n", Map.of()))
                .hasMessageContaining("/t: lacks the line @global");
    }

    @Test
    void haproxyTakesWhatItMakes(@TempDir Path folder) throws IOException {
        Files.writeString(
                folder.resolve("haproxy.tmpl"),
                """
                global
                    @global
                defaults
                    @defaults
                    mode http
                listen stats
                    bind 127.0.0.1:10099
                    stats enable
                    stats realm {{env PATH}}
                @frontends
                @backend web
                backend db
                    mode tcp
                    @servers db
                """);
        Path input =
                Files.writeString(
                        folder.resolve("in.yaml"),
                        """
                        haproxy: {config: haproxy.cfg, template: haproxy.tmpl, binary: "%s"}
                        services:
                          web: {bind: "127.0.0.1:10098"}
                          db: {bind: "127.0.0.1:10097", mode: tcp}
                        """
                                .formatted(RealHaproxy.binary()));
        assertThat(RendererMain.execute("check", "-config", input.toString())).isZero();
        Files.writeString(input, Files.readString(input) + "  lost: {bind: ':1'}\n");
        assertThatThrownBy(() -> InputReader.read(input))
                .hasMessageContaining(
                        "services.lost: the template has neither @backend nor @servers");
    }
}
