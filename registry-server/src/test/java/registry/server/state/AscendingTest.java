package registry.server.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.pcollections.TreePMap;

/** What comes in order and what does not becomes the same map. */
class AscendingTest {
    @Test
    void rowsMayComeInAnyOrder() {
        var random = new SplittableRandom(3);
        for (int most : new int[] {0, 1, 2, 100}) {
            var expected = new TreeMap<String, Integer>(Keys.BYTES);
            var rows = new Ascending<Integer>(Keys.BYTES, 0);
            for (int i = 0; i < most; i++) {
                String key = Integer.toString(random.nextInt(most / 2 + 1));
                expected.put(key, i);
                rows.add(Map.entry(key, i));
            }
            var inOrder = new Ascending<Integer>(Keys.BYTES, 1);
            expected.entrySet()
                    .forEach(row -> inOrder.add(Map.entry(row.getKey(), row.getValue())));
            assertThat(TreePMap.fromSortedMap(rows.sorted())).isEqualTo(expected);
            assertThat(TreePMap.fromSortedMap(inOrder.sorted()))
                    .isEqualTo(expected)
                    .isNotSameAs(expected);
            assertThat(TreePMap.fromSortedMap(inOrder.sorted()).comparator()).isEqualTo(Keys.BYTES);
        }
    }
}
