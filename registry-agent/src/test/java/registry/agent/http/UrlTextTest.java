package registry.agent.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Paths and parameters are read and written as Go does. */
class UrlTextTest {
    @ParameterizedTest
    @CsvSource({
        "/,/",
        "//,/",
        "/a//b,/a/b",
        "/a/./b,/a/b",
        "/a/../b,/b",
        "/../../a,/a",
        "/a/b/..,/a",
        "/a/b/../,/a/",
        "/a/.,/a",
        "/a/,/a/",
        "/a/.../b,/a/.../b",
        "/a/.b/..c,/a/.b/..c"
    })
    void pathsAreCleaned(String path, String clean) {
        assertThat(UrlText.clean(path)).isEqualTo(clean);
        assertThat(UrlText.isClean(path)).isEqualTo(path.equals(clean));
    }

    @Test
    void aCleanPathStaysAsItIs() {
        long seed = new Random().nextLong();
        System.out.println("seed " + seed);
        var random = new Random(seed);
        for (int n = 0; n < 10_000; n++) {
            var path = new StringBuilder("/");
            for (int c = random.nextInt(10); c > 0; c--) {
                path.append("./a".charAt(random.nextInt(3)));
            }
            String clean = UrlText.clean(path.toString());
            assertThat(UrlText.isClean(clean)).as(clean).isTrue();
            assertThat(UrlText.clean(clean)).isEqualTo(clean);
            assertThat(UrlText.isClean(path.toString()))
                    .as(path.toString())
                    .isEqualTo(clean.contentEquals(path));
        }
    }

    @Test
    void encodingIsGos() {
        assertThat(UrlText.encodePath("/a b/ü?=&;%")).isEqualTo("/a%20b/%C3%BC%3F=&;%25");
        assertThat(UrlText.encodeQuery("a b/ü=&-_.~")).isEqualTo("a+b%2F%C3%BC%3D%26-_.~");
        assertThat(UrlText.decodeQuery("a+b%20%2Bc")).isEqualTo("a b +c");
        assertThat(UrlText.decodePath("/a+b%20")).isEqualTo("/a+b ");
        assertThat(UrlText.decodePath("/%e")).isNull();
        assertThat(UrlText.decodePath("/%C3")).isNull();
    }

    @Test
    void parametersKeepTheirOrderAndNames() {
        var query = QueryString.parse("b=2&a=1&&b=3&flag&e=");
        assertThat(query.all("b")).containsExactly("2", "3");
        assertThat(query.first("a")).isEqualTo("1");
        assertThat(query.has("flag")).isTrue();
        assertThat(query.first("flag")).isEmpty();
        assertThat(query.has("c")).isFalse();
        assertThat(query.encoded()).isEqualTo("a=1&b=2&b=3&e=&flag=");
        assertThat(query.without("b", "e").encoded()).isEqualTo("a=1&flag=");
        assertThat(QueryString.parse("a=%z")).isNull();
    }
}
