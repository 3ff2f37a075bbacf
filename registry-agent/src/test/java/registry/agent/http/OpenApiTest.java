package registry.agent.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import registry.api.ApiException;

/** The text of the contract names every route that is served, and none that is not. */
class OpenApiTest {
    private static final Pattern PATH = Pattern.compile("^  (/[^:]*):$");
    private static final Pattern METHOD =
            Pattern.compile("^    (get|put|post|delete|patch|head):$");

    @Test
    void textAndTableOfRoutesAgree() throws IOException {
        var written = new TreeSet<String>();
        String path = "";
        for (String line : text().lines().toList()) {
            if (line.startsWith("components:")) {
                break;
            }
            Matcher pathMatcher = PATH.matcher(line);
            Matcher methodMatcher = METHOD.matcher(line);
            if (pathMatcher.matches()) {
                // A parameter at the end stands for all that follows, another one for a name.
                path = pathMatcher.group(1).replaceAll("\\{\\w+}$", "").replaceAll("\\{\\w+}", "*");
            } else if (methodMatcher.matches()) {
                written.add(methodMatcher.group(1).toUpperCase(Locale.ROOT) + " " + path);
            }
        }
        try (var api = TestApi.start(TestApi.Through.OWN)) {
            var served =
                    api.http.routes().all().stream()
                            .map(route -> route.method() + " " + route.path())
                            .collect(Collectors.toCollection(TreeSet::new));
            assertThat(written).isEqualTo(served);
        }
    }

    private static String text() throws IOException {
        try (var in = ApiException.class.getResourceAsStream("/openapi/registry.yaml")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
