package registry.server.query;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import registry.api.PreparedQuery;
import registry.api.json.Json;

class TemplateTest {
    private static PreparedQuery query(String name, String template, String service) {
        String json =
                "{\"Name\":\"%s\",\"Template\":{\"Type\":\"name_prefix_match\"%s},\"Service\":{%s}}"
                        .formatted(name, template, service);
        return Json.read(json.getBytes(UTF_8), PreparedQuery.class);
    }

    private static PreparedQuery.ServiceQuery fill(
            String name, String template, String service, String asked) {
        return Template.compile(query(name, template, service)).fill(asked).service();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "plain|plain",
                "${name.full}|Geo-db-1",
                "${name.prefix}|geo-",
                "x${ name.suffix }y|xdb-1y",
                "${match(0)}|db-1",
                "${match(1)}-${match(2)}|db-1",
                "${match(3)}.|.",
                "${match(-1)}.|.",
                "${agent.segment}.|.",
                "$${name.full}|${name.full}",
                "$$|$$",
                "a$b|a$b",
            })
    void placesAreFilledIn(String text, String filled) {
        assertThat(
                        fill(
                                        "geo-",
                                        ",\"Regexp\":\"([a-z]+)-([0-9]+)$\"",
                                        "\"Service\":\"%s\"".formatted(text),
                                        "Geo-db-1")
                                .service())
                .isEqualTo(filled);
    }

    @Test
    void everyTextOfTheServiceIsFilledIn() {
        PreparedQuery.ServiceQuery filled =
                fill(
                        "p-",
                        "",
                        """
                        "Service":"s","Near":"${name.suffix}","Tags":["${name.suffix}","!x"],
                        "NodeMeta":{"k":"${name.suffix}"},"ServiceMeta":{"k":"${name.suffix}"},
                        "IgnoreCheckIDs":["${name.suffix}"],
                        "Failover":{"Datacenters":["${name.suffix}"]}\
                        """,
                        "p-v");
        assertThat(filled.near()).isEqualTo("v");
        assertThat(filled.tags()).containsExactly("v", "!x");
        assertThat(filled.nodeMeta()).containsEntry("k", "v");
        assertThat(filled.serviceMeta()).containsEntry("k", "v");
        assertThat(filled.ignoreCheckIds()).containsExactly("v");
        assertThat(filled.failover().datacenters()).containsExactly("v");
    }

    @Test
    void emptyTagsGoWhenAskedTo() {
        String tags = "\"Service\":\"s\",\"Tags\":[\"${match(1)}\",\"x\"]";
        assertThat(fill("p-", "", tags, "p-v").tags()).containsExactly("", "x");
        assertThat(fill("p-", ",\"RemoveEmptyTags\":true", tags, "p-v").tags())
                .containsExactly("x");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "${name.full|Bad format '${name.full' in Service.Tags[0]: \"${\" without its \"}\"",
                "${name}|Bad format '${name}' in Service.Tags[0]: \"name\" is none of name.full, name.prefix, name.suffix, match(N), agent.segment",
                "${1+1}|Bad format '${1+1}' in Service.Tags[0]: \"1+1\" is none of name.full, name.prefix, name.suffix, match(N), agent.segment",
                "${match(99999999999)}|Bad format '${match(99999999999)}' in Service.Tags[0]: \"match(99999999999)\" is none of name.full, name.prefix, name.suffix, match(N), agent.segment",
            })
    void whatCannotBeFilledInIsRefused(String text, String why) {
        PreparedQuery query =
                query("p-", "", "\"Service\":\"s\",\"Tags\":[\"%s\"]".formatted(text));
        assertThatThrownBy(() -> Template.compile(query))
                .hasMessage("failed compiling template: " + why);
    }

    @Test
    void aBadExpressionIsRefused() {
        PreparedQuery query = query("p-", ",\"Regexp\":\"a(\"", "\"Service\":\"s\"");
        assertThatThrownBy(() -> Template.compile(query))
                .hasMessageStartingWith(
                        "failed compiling template: Bad Regexp: error parsing regexp: ");
        PreparedQuery large =
                query("p-", ",\"Regexp\":\"((a{100}){100}){100}\"", "\"Service\":\"s\"");
        assertThatThrownBy(() -> Template.compile(large)).hasMessageContaining("too large");
    }

    /** Backtracking would take longer than the world stands. */
    @Test
    void matchingTakesLinearTime() {
        Template template =
                Template.compile(
                        query("", ",\"Regexp\":\"^(a|a?)+$\"", "\"Service\":\"${match(0)}.\""));
        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(5),
                () ->
                        assertThat(template.fill("a".repeat(254) + "b").service().service())
                                .isEqualTo("."));
    }

    @Test
    void whatItMakesOfANameIsBounded() {
        List<String> tags = Collections.nCopies(257, "\"${name.full}\"");
        PreparedQuery query = query("", "", "\"Service\":\"s\",\"Tags\":" + tags);
        assertThatThrownBy(() -> Template.compile(query))
                .hasMessage("failed compiling template: more than 256 places to be filled in");
    }
}
