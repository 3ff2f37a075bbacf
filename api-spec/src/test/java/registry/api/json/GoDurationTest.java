package registry.api.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GoDurationTest {
    @ParameterizedTest
    @CsvSource({
        "10s,10000000000",
        "1m30s,90000000000",
        "1.5h,5400000000000",
        "-5ms,-5000000",
        "+1us,1000",
        "1µs,1000",
        "1μs,1000",
        "0,0",
        "-0,0",
        ".5s,500000000",
        "5.s,5000000000",
        "1h1m1s1ms1us1ns,3661001001001",
        "0.0000000001s,0"
    })
    void textIsRead(String text, long nanos) {
        assertThat(GoDuration.parse(text)).isEqualTo(Duration.ofNanos(nanos));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-",
                "10",
                "s",
                ".s",
                "1.2.3s",
                "1x",
                "1 s",
                "1s ",
                "1e3s",
                "٣s",
                "1h 2m",
                "--1s",
                "9999999999h",
                "1d"
            })
    void malformedTextIsRefused(String text) {
        assertThatThrownBy(() -> GoDuration.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"" + text + "\"");
    }

    @ParameterizedTest
    @CsvSource({
        "0,0s",
        "1,1ns",
        "1500,1.5µs",
        "200000000,200ms",
        "1000000000,1s",
        "90000000000,1m30s",
        "3600000000000,1h0m0s",
        "5400000000000,1h30m0s",
        "-90500000000,-1m30.5s",
        "600000000000,10m0s"
    })
    void durationsAreWrittenAsInGo(long nanos, String text) {
        assertThat(GoDuration.format(Duration.ofNanos(nanos))).isEqualTo(text);
    }

    @Test
    void theLargestIsWrittenAndReadBack() {
        Duration most = Duration.ofNanos(Long.MAX_VALUE);
        assertThat(GoDuration.parse(GoDuration.format(most))).isEqualTo(most);
    }
}
