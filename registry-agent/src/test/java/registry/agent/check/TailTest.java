package registry.agent.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TailTest {
    @Test
    void keepsTheLastBytesHoweverTheyCome() {
        long seed = System.nanoTime();
        var random = new SplittableRandom(seed);
        for (int round = 0; round < 500; round++) {
            int limit = random.nextInt(1, 40);
            var tail = new Tail(limit);
            var all = new StringBuilder();
            for (int part = random.nextInt(8); part > 0; part--) {
                byte[] bytes = new byte[random.nextInt(60)];
                for (int i = 0; i < bytes.length; i++) {
                    bytes[i] = (byte) ('a' + random.nextInt(26));
                }
                tail.write(bytes, bytes.length);
                all.append(new String(bytes, StandardCharsets.US_ASCII));
            }
            String expected = all.substring(Math.max(0, all.length() - limit));
            assertThat(tail.text()).as("seed %d round %d", seed, round).isEqualTo(expected);
            assertThat(tail.total()).isEqualTo(all.length());
        }
    }

    @Test
    void characterCutInHalfIsDropped() {
        var tail = new Tail(4);
        byte[] text = "xé€".getBytes(StandardCharsets.UTF_8);
        tail.write(text, text.length);

        assertThat(tail.text()).isEqualTo("€");
    }
}
