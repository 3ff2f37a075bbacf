package registry.server.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SharedTest {
    private static String anew(String text) {
        return new StringBuilder(text).toString();
    }

    @Test
    void equalValuesAreOneObject() {
        assertThat(Shared.of(anew("passing"))).isSameAs(Shared.of(anew("passing")));
        List<String> tags = Shared.texts(new ArrayList<>(List.of(anew("v1"), anew("primary"))));
        assertThat(Shared.texts(new ArrayList<>(tags))).isSameAs(tags).isUnmodifiable();
        assertThat(Shared.<Object>ofNullable(null)).isNull();
    }

    @Test
    void whatSharesAPlaceStaysItself() {
        for (int i = 0; i < 20_000; i++) {
            assertThat(Shared.of("check " + i)).isEqualTo("check " + i);
        }
    }

    @Test
    void equalValuesOfTwoClassesStayTwo() {
        List<String> list = Shared.of(List.of("a", "b", "c"));
        List<String> other = Shared.of(new ArrayList<>(list));
        assertThat(other).isInstanceOf(ArrayList.class).isEqualTo(list);
    }
}
