package registry.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import registry.agent.StartUpPages.Range;

class StartUpPagesTest {
    private static List<Range> clean(String head, int anonymous) {
        return StartUpPages.clean(
                List.of(head, "Rss:  100 kB", "Anonymous:  " + anonymous + " kB", "VmFlags: rd"));
    }

    @Test
    void whatIsOnlyReadIsLetGo() {
        assertThat(clean("8015e3000-8035ef000 r--p 015e3000 08:01 7 /o p/lib/registry.aot", 0))
                .containsExactly(new Range(0x8015e3000L, 0x8035ef000L, false));
        assertThat(clean("7f00-8f00 r-xp 00000000 08:01 7    /jdk/lib/server/libjvm.so", 0))
                .containsExactly(new Range(0x7f00, 0x8f00, true));
    }

    @Test
    void whatWasChangedIsKept() {
        assertThat(clean("8015e3000-8035ef000 r--p 015e3000 08:01 7 /lib/registry.aot", 4))
                .isEmpty();
    }

    @Test
    void whatCanBeWrittenOrIsSomebodyElsesIsKept() {
        assertThat(clean("7f00-8f00 rw-p 00001000 08:01 7 /lib/registry.aot", 0)).isEmpty();
        assertThat(clean("7f00-8f00 rwxp 00001000 08:01 7 /lib/libjvm.so", 0)).isEmpty();
        assertThat(clean("7f00-8f00 r--s 00001000 08:01 7 /lib/libjvm.so", 0)).isEmpty();
        assertThat(clean("7f00-8f00 r--p 00001000 08:01 7 /data/registry.aot/x", 0)).isEmpty();
        assertThat(clean("7f00-8f00 r--p 00000000 00:00 0", 0)).isEmpty();
    }

    @Test
    void aMappingIsNotTakenForItsPredecessor() {
        assertThat(
                        StartUpPages.clean(
                                List.of(
                                        "7f00-8f00 r--p 00000000 08:01 7 /jdk/libjvm.so",
                                        "Anonymous:  8 kB",
                                        "8f00-9f00 rw-p 00000000 00:00 0",
                                        "Anonymous:  0 kB")))
                .isEmpty();
    }

    /** This very JVM goes on, with all it has linked and compiled. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void theProcessGoesOn() throws Exception {
        for (int i = 0; i < 3; i++) {
            assertThat(StartUpPages.giveBack()).isPositive();
            assertThat(String.format("%x", i + 10)).isEqualTo(List.of("a", "b", "c").get(i));
        }
    }
}
