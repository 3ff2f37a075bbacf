package registry.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AnswerCacheTest {
    private static Question question(String name, Map<String, List<String>> params) {
        return new Question("M", name, params, Consistency.DEFAULT, 0, Duration.ZERO);
    }

    private static Query.Answer answer(int bytes) {
        return Query.Answer.found(new byte[bytes]);
    }

    @Test
    void anAnswerIsGoodForItsIndexAndItsQuestionAlone() {
        var cache = new AnswerCache(10, 1 << 20);
        Query.Answer answer = answer(1);
        cache.put(question("a", Map.of("tag", List.of("x"))), 5, answer);
        assertThat(cache.get(question("a", Map.of("tag", List.of("x"))), 5)).isSameAs(answer);
        assertThat(cache.get(question("a", Map.of("tag", List.of("x"))), 6)).isNull();
        assertThat(cache.get(question("a", Map.of("tag", List.of("y"))), 5)).isNull();
        assertThat(cache.get(question("a", Map.of()), 5)).isNull();
        assertThat(cache.get(question("b", Map.of("tag", List.of("x"))), 5)).isNull();
        cache.clear();
        assertThat(cache.get(question("a", Map.of("tag", List.of("x"))), 5)).isNull();
    }

    @Test
    void theLeastRecentlyUsedGoFirst() {
        var cache = new AnswerCache(2, 1 << 20);
        cache.put(question("a", Map.of()), 1, answer(1));
        cache.put(question("b", Map.of()), 1, answer(1));
        cache.get(question("a", Map.of()), 1);
        cache.put(question("c", Map.of()), 1, answer(1));
        assertThat(cache.get(question("a", Map.of()), 1)).isNotNull();
        assertThat(cache.get(question("b", Map.of()), 1)).isNull();
    }

    @Test
    void bytesAreBounded() {
        var cache = new AnswerCache(1000, 100_000);
        for (int i = 0; i < 100; i++) {
            cache.put(question("q" + i % 20, Map.of()), i, answer(20_000));
            assertThat(cache.bytes()).isBetween(0L, 100_000L);
        }
        assertThat(cache.size()).isEqualTo(4);
        cache.put(question("big", Map.of()), 1, answer(90_000));
        assertThat(cache.get(question("big", Map.of()), 1)).isNull();
    }
}
