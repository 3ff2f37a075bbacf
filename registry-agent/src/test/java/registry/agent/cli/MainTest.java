package registry.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Outputs and exit codes, as captured of Consul 1.9.8, over answers captured too. */
class MainTest {
    private static final String SELF =
            """
            {"Config": {"NodeName": "n1"}, "Stats": {"serf_lan": {"members": "1", "failed": "0"}, "agent": {"checks": "0"}}}
            """;
    private static final String MEMBERS =
            """
            [{"Name":"n1","Addr":"127.0.0.1","Port":28502,"Tags":{"acls":"0","bootstrap":"1","build":"1.9.8:","dc":"dc1",
              "id":"11111111-2222-3333-4444-555555555501","port":"28504","raft_vsn":"3","role":"consul","segment":"",
              "vsn":"2"},"Status":1}]
            """;
    private static final String NODES =
            """
            [{"ID":"11111111-2222-3333-4444-555555555501","Node":"n1","Address":"127.0.0.1","Datacenter":"dc1",
              "TaggedAddresses":{"lan":"127.0.0.1","lan_ipv4":"127.0.0.1","wan":"127.0.0.1"},
              "Meta":{"consul-network-segment":""}}]
            """;

    @TempDir private Path directory;
    private CommandLine line;

    @BeforeEach
    void start() throws IOException {
        line = new CommandLine();
    }

    @AfterEach
    void stop() {
        line.close();
    }

    private void check(CommandLine.Result result, int code, String out, String err) {
        assertThat(result).isEqualTo(new CommandLine.Result(code, out, err));
    }

    private String write(String name, String text) throws IOException {
        Path file = directory.resolve(name);
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return file.toString();
    }

    // Which command

    @ParameterizedTest
    @ValueSource(strings = {"", "nope", "help"})
    void whatIsNoCommandGetsTheUsageAnd127(String word) {
        var result = word.isEmpty() ? line.run() : line.run(word);
        assertThat(result.code()).isEqualTo(127);
        assertThat(result.err())
                .startsWith("Usage: consul [--version] [--help] <command> [<args>]\n");
        assertThat(result.out()).isEmpty();
    }

    @Test
    void helpIsOnTheStandardOutput() {
        assertThat(line.run("-h").out())
                .startsWith("Usage: consul [--version] [--help] <command> [<args>]\n");
        var members = line.run("members", "-h");
        assertThat(members.code()).isZero();
        assertThat(members.out())
                .startsWith("Usage: consul members [options]\n")
                .contains("-detailed");
        assertThat(line.run("kv", "get", "-h").out()).startsWith("Usage: consul kv get [options]");
    }

    @Test
    void aGroupAloneGetsItsUsageAnd1() {
        var result = line.run("kv");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err())
                .startsWith("Usage: consul kv <subcommand> [options] [args]\n")
                .contains("    put ");
        assertThat(line.run("kv", "nope").code()).isEqualTo(1);
        assertThat(line.run("kv", "-h").code()).isZero();
    }

    @Test
    void anUnknownOptionIsToldWithTheUsage() {
        var result = line.run("members", "-nope");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).startsWith("flag provided but not defined: -nope\nUsage:\n");
    }

    @ParameterizedTest
    @CsvSource({
        "connect,<subcommand> [options] [args]",
        "tls,<subcommand> <subcommand> [options]"
    })
    void consulsOtherGroupsGetTheirUsageAnd1(String name, String synopsis) {
        var result = line.run(name);
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).startsWith("Usage: consul " + name + " " + synopsis + "\n");
        assertThat(line.run(name, "nope").code()).isEqualTo(1);
    }

    @Test
    void rttIsEstimatedFromCoordinates() {
        String here =
                "{\"Node\":\"n1\",\"Segment\":\"\",\"Coord\":{\"Vec\":[0,0,0,0,0,0,0,0],\"Error\":1.5,\"Adjustment\":0,\"Height\":0.00001}}";
        String there =
                "{\"Node\":\"n2\",\"Segment\":\"\",\"Coord\":{\"Vec\":[0.003,0.004,0,0,0,0,0,0],\"Error\":0.1,\"Adjustment\":0.001,\"Height\":0.00002}}";
        line.on(
                        "GET /v1/agent/self",
                        200,
                        "{\"Config\":{\"NodeName\":\"n1\",\"Datacenter\":\"dc1\"}}")
                .on("GET /v1/coordinate/nodes", 200, "[" + here + "," + there + "]")
                .on(
                        "GET /v1/coordinate/datacenters",
                        200,
                        "[{\"Datacenter\":\"dc1\",\"AreaID\":\"wan\",\"Coordinates\":["
                                + here
                                + "]}]");
        check(
                line.run("rtt", "n1"),
                0,
                "Estimated n1 <-> n1 rtt: 0.020 ms (using LAN coordinates)\n",
                "");
        check(
                line.run("rtt", "n2", "n1"),
                0,
                "Estimated n2 <-> n1 rtt: 6.030 ms (using LAN coordinates)\n",
                "");
        check(
                line.run("rtt", "-wan", "n1.dc1"),
                0,
                "Estimated n1.dc1 <-> n1.dc1 rtt: 0.020 ms (using WAN coordinates)\n",
                "");
        check(
                line.run("rtt", "n1", "nope"),
                1,
                "",
                "Could not find a coordinate for node \"nope\"\n");
        assertThat(line.run("rtt").err()).startsWith("One or two node names must be specified\n\n");
    }

    @Test
    void everyCommandHasHelp() {
        String usage = line.run("-h").out();
        assertThat(
                        List.of(
                                "agent",
                                "watch",
                                "members",
                                "info",
                                "version",
                                "validate",
                                "reload",
                                "leave",
                                "join"))
                .allSatisfy(name -> assertThat(usage).contains("    " + name + " "))
                .allSatisfy(name -> assertThat(line.run(name, "-h").code()).isZero());
    }

    // Version and start-up

    @Test
    void versionIsConsuls() {
        String expected =
                "Consul v1.9.8\nProtocol 2 spoken by default, understands 2 to 3 (agent will automatically use protocol >2 when speaking to compatible agents)\n\n";
        check(line.run("version"), 0, expected, "");
        check(line.run("--version"), 0, expected, "");
        assertThat(line.run("version", "-format=json").out())
                .contains("    \"Version\": \"1.9.8\",\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "-nope | flag provided but not defined: -nope",
                "`` | ==> data_dir cannot be empty",
                "-dev -bind=1.2.3 | ==> bind_addr cannot be empty",
                "-data-dir=dd -config-file=nope.json | ==> config: Open failed on nope.json. open nope.json: no such file or directory",
                "-data-dir=dd -bootstrap-expect=3 | ==> 'bootstrap_expect > 0' requires 'server = true'",
                "-data-dir=dd -server -bootstrap -bootstrap-expect=3 | ==> 'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive",
                "-data-dir=dd -encrypt=x | ==> encrypt has invalid key: illegal base64 data",
                "-data-dir=dd extra | ==> Unexpected extra arguments: [extra]"
            })
    void anAgentThatCanNotStartSaysWhy(String words, String error) {
        var all = new ArrayList<>(List.of("agent"));
        if (!words.isEmpty()) {
            all.addAll(List.of(words.split(" ")));
        }
        var result = line.run(all.toArray(String[]::new));
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).startsWith(error + "\n");
        assertThat(result.out()).isEmpty();
    }

    @Test
    void flagsOfTheAgentBecomeKeys() throws Exception {
        var flags = new AgentCommand().flags();
        flags.parse(
                List.of(
                        "-server",
                        "-bootstrap-expect",
                        "1",
                        "-data-dir",
                        "/tmp/consul",
                        "-node=agent-one",
                        "-config-dir",
                        "d",
                        "-config-file=f",
                        "-http-port=1",
                        "-node-meta=a:b:c",
                        "-node-meta",
                        "k",
                        "-join=x",
                        "-join=y",
                        "-dev"));
        var sources = AgentCommand.sources(flags);
        assertThat(sources.devMode()).isTrue();
        assertThat(sources.paths()).containsExactly("d", "f");
        assertThat(sources.flags())
                .hasToString(
                        "{\"server\":true,\"bootstrap_expect\":1,\"data_dir\":\"/tmp/consul\",\"node_name\":\"agent-one\","
                                + "\"ports\":{\"http\":1},\"start_join\":[\"x\",\"y\"],\"node_meta\":{\"a\":\"b:c\",\"k\":\"\"}}");
    }

    @Test
    void validateSaysWhatTheAgentWould() throws IOException {
        String unknown = write("unk.json", "{\"foo\":1}");
        check(
                line.run("validate", unknown),
                1,
                "",
                "Config validation failed: failed to parse "
                        + unknown
                        + ": 1 error occurred:\n\t* invalid config key foo\n\n\n");
        check(line.run("validate"), 1, "", "Must specify at least one config file or directory\n");
        check(
                line.run("validate", write("ok.json", "{}")),
                1,
                "",
                "Config validation failed: data_dir cannot be empty\n");
        String good =
                write(
                        "good.json",
                        "{\"data_dir\": \"" + directory + "\", \"bind_addr\": \"127.0.0.1\"}");
        check(line.run("validate", good), 0, "Configuration is valid!\n", "");
        check(line.run("validate", "-quiet", good), 0, "", "");
    }

    // The agent's life

    @Test
    void membersAreATable() {
        line.on("GET /v1/agent/members?segment=_all", 200, MEMBERS)
                .on("GET /v1/agent/members?wan=1", 200, MEMBERS);
        String table =
                "Node  Address          Status  Type    Build  Protocol  DC   Segment\n"
                        + "n1    127.0.0.1:28502  alive   server  1.9.8  2         dc1  <all>\n";
        check(line.run("members"), 0, table, "");
        check(line.run("members", "extra"), 0, table, "");
        check(line.run("members", "-wan"), 0, table, "");
        check(line.run("members", "-status=alive"), 0, table, "");
        check(line.run("members", "-status=failed"), 2, "", "");
        check(
                line.run("members", "-status=("),
                1,
                "",
                "Failed to compile status regexp: error parsing regexp: missing closing ): `(`\n");
        assertThat(line.run("members", "-detailed").out())
                .isEqualTo(
                        "Node  Address          Status  Tags\n"
                                + "n1    127.0.0.1:28502  alive   acls=0,bootstrap=1,build=1.9.8:,dc=dc1,id=11111111-2222-3333-4444-555555555501,port=28504,raft_vsn=3,role=consul,segment=<all>,vsn=2\n");
    }

    @Test
    void infoIsSorted() {
        line.on("GET /v1/agent/self", 200, SELF);
        check(
                line.run("info"),
                0,
                "agent:\n\tchecks = 0\nserf_lan:\n\tfailed = 0\n\tmembers = 1\n",
                "");
    }

    @Test
    void joinTellsEachFailure() {
        line.on(
                        "PUT /v1/agent/join/127.0.0.1:1",
                        500,
                        "1 error occurred:\n\t* Failed to join 127.0.0.1: x\n\n")
                .on("PUT /v1/agent/join/127.0.0.1:2", 200, "");
        check(
                line.run("join", "127.0.0.1:1"),
                1,
                "",
                "Error joining address '127.0.0.1:1': Unexpected response code: 500 (1 error occurred:\n\t* Failed to join 127.0.0.1: x\n\n)\nFailed to join any nodes.\n");
        assertThat(line.run("join", "127.0.0.1:1", "127.0.0.1:2").out())
                .isEqualTo("Successfully joined cluster by contacting 1 nodes.\n");
        assertThat(line.run("join").err())
                .startsWith(
                        "At least one address to join must be specified.\n\nUsage: consul join [options] ");
    }

    @Test
    void leaveReloadAndForceLeave() {
        line.on("PUT /v1/agent/leave", 200, "")
                .on("PUT /v1/agent/reload", 200, "")
                .on("PUT /v1/agent/force-leave/n2?prune=1", 200, "")
                .on("PUT /v1/agent/force-leave/nope", 500, "agent: No node found with name 'nope'");
        check(line.run("leave"), 0, "Graceful leave complete\n", "");
        var extra = line.run("leave", "x");
        assertThat(extra.err()).isEqualTo("Error found unexpected args: [x]\n");
        assertThat(extra.out()).startsWith("Usage: consul leave [options]\n");
        check(line.run("reload"), 0, "Configuration reload triggered\n", "");
        check(line.run("force-leave", "-prune", "n2"), 0, "", "");
        check(
                line.run("force-leave", "nope"),
                1,
                "",
                "Error force leaving: Unexpected response code: 500 (agent: No node found with name 'nope')\n");
        assertThat(line.run("force-leave").err())
                .startsWith(
                        "A single node name must be specified to force leave.\n\nUsage: consul force-leave [options] ");
    }

    @Test
    void maintenance() {
        line.on("PUT /v1/agent/maintenance?enable=true", 200, "")
                .on("PUT /v1/agent/maintenance?enable=true&reason=a+b", 200, "")
                .on("PUT /v1/agent/maintenance?enable=false", 200, "")
                .on("PUT /v1/agent/service/maintenance/web?enable=true", 200, "")
                .on(
                        "PUT /v1/agent/service/maintenance/nope?enable=true",
                        404,
                        "No service registered with ID \"nope\"")
                .on("GET /v1/agent/self", 200, SELF)
                .on("GET /v1/agent/checks", 200, "{}");
        check(line.run("maint"), 0, "", "");
        check(line.run("maint", "-enable"), 0, "Node maintenance is now enabled\n", "");
        check(
                line.run("maint", "-enable", "-reason=a b"),
                0,
                "Node maintenance is now enabled\n",
                "");
        check(line.run("maint", "-disable"), 0, "Node maintenance is now disabled\n", "");
        check(
                line.run("maint", "-enable", "-service=web"),
                0,
                "Service maintenance is now enabled for \"web\"\n",
                "");
        check(
                line.run("maint", "-enable", "-service=nope"),
                1,
                "",
                "Error enabling service maintenance: Unexpected response code: 404 (No service registered with ID \"nope\")\n");
        check(
                line.run("maint", "-enable", "-disable"),
                1,
                "",
                "Only one of -enable or -disable may be provided\n");
        check(
                line.run("maint", "-service=x"),
                1,
                "",
                "Service requires either -enable or -disable\n");
        line.on(
                "GET /v1/agent/checks",
                200,
                "{\"_node_maintenance\": {\"CheckID\": \"_node_maintenance\", \"Notes\": \"r\"}, \"x\": {\"CheckID\": \"_service_maintenance:w\", \"ServiceID\": \"w\", \"Notes\": \"s\"}}");
        check(
                line.run("maint"),
                0,
                "Node:\n  Name:   n1\n  Reason: r\n\nService:\n  ID:     w\n  Reason: s\n\n",
                "");
    }

    @Test
    void historyOfACheckIsATable() {
        line.on(
                        "GET /v1/agent/check/history/service:web",
                        200,
                        "[{\"Time\": \"2026-11-22T12:00:00.000Z\", \"From\": \"\", \"To\": \"passing\", \"Output\": \"ok\"}, {\"Time\": \"2026-11-22T12:00:10.000Z\", \"From\": \"passing\", \"To\": \"critical\", \"Output\": \"refused\"}]")
                .on("GET /v1/agent/check/history/x", 200, "[]");
        check(
                line.run("checks", "history", "service:web"),
                0,
                """
                Time                      From     To        Output
                2026-11-22T12:00:00.000Z  -        passing   ok
                2026-11-22T12:00:10.000Z  passing  critical  refused
                """,
                "");
        check(line.run("checks", "history", "x"), 0, "", "No change of check \"x\" is known.\n");
    }

    // Catalog and services

    @Test
    void catalogTables() {
        line.on("GET /v1/catalog/datacenters", 200, "[\"dc1\"]")
                .on("GET /v1/catalog/nodes", 200, NODES)
                .on("GET /v1/catalog/nodes?near=_agent", 200, NODES)
                .on("GET /v1/catalog/nodes?node-meta=a%3Ab", 200, "[]")
                .on("GET /v1/catalog/service/web", 200, NODES)
                .on(
                        "GET /v1/catalog/services",
                        200,
                        "{\"consul\": [], \"cli-b\": [\"x\"], \"cli-web\": [\"b\", \"a\"]}")
                .on(
                        "GET /v1/catalog/node/n1",
                        200,
                        "{\"Services\": {\"w1\": {\"Service\": \"web\", \"Tags\": []}}}")
                .on("GET /v1/catalog/node/nope", 200, "null");
        check(line.run("catalog", "datacenters"), 0, "dc1\n", "");
        String nodes = "Node  ID        Address    DC\nn1    11111111  127.0.0.1  dc1\n";
        check(line.run("catalog", "nodes"), 0, nodes, "");
        check(line.run("catalog", "nodes", "-near=_agent"), 0, nodes, "");
        check(line.run("catalog", "nodes", "-service=web"), 0, nodes, "");
        check(
                line.run("catalog", "nodes", "-detailed"),
                0,
                "Node  ID                                    Address    DC   TaggedAddresses                                   Meta\n"
                        + "n1    11111111-2222-3333-4444-555555555501  127.0.0.1  dc1  lan=127.0.0.1, lan_ipv4=127.0.0.1, wan=127.0.0.1  consul-network-segment=\n",
                "");
        check(
                line.run("catalog", "nodes", "-node-meta=a=b"),
                0,
                "",
                "No nodes match the given query - try expanding your search.\n");
        check(line.run("catalog", "services"), 0, "cli-b\ncli-web\nconsul\n", "");
        check(
                line.run("catalog", "services", "-tags"),
                0,
                "cli-b        x\ncli-web      a,b\nconsul\n",
                "");
        check(line.run("catalog", "services", "-node=n1"), 0, "web\n", "");
        check(
                line.run("catalog", "services", "-node=nope"),
                0,
                "",
                "No services match the given query - try expanding your search.\n");
    }

    @Test
    void servicesOfFilesAndFlags() throws IOException {
        line.on("PUT /v1/agent/service/register", 200, "")
                .on("PUT /v1/agent/service/deregister/cli-web", 200, "")
                .on("PUT /v1/agent/service/deregister/b1", 200, "");
        String file =
                write(
                        "svc.json",
                        "{\"service\":{\"name\":\"cli-web\",\"port\":81,\"tags\":[\"a\"],\"check\":{\"tcp\":\"x:1\",\"interval\":\"10s\"}}}");
        check(line.run("services", "register", file), 0, "Registered service: cli-web\n", "");
        assertThat(line.requests().getLast())
                .isEqualTo(
                        "PUT /v1/agent/service/register {\"ID\":\"cli-web\",\"Name\":\"cli-web\",\"Tags\":[\"a\"],\"Port\":81,\"EnableTagOverride\":false,\"Meta\":{},\"TaggedAddresses\":{},\"Weights\":{\"Passing\":1,\"Warning\":1},\"Checks\":[{\"TCP\":\"x:1\",\"Interval\":\"10s\"}]}");
        check(
                line.run(
                        "services",
                        "register",
                        "-name=cli-b",
                        "-id=b1",
                        "-port=9",
                        "-address=10.0.0.1",
                        "-tag=x",
                        "-meta=k=v",
                        "-tagged-address=lan=1.2.3.4:5"),
                0,
                "Registered service: cli-b\n",
                "");
        assertThat(line.requests().getLast())
                .isEqualTo(
                        "PUT /v1/agent/service/register {\"Name\":\"cli-b\",\"ID\":\"b1\",\"Address\":\"10.0.0.1\",\"Port\":9,\"Tags\":[\"x\"],\"Meta\":{\"k\":\"v\"},\"TaggedAddresses\":{\"lan\":{\"Address\":\"1.2.3.4\",\"Port\":5}}}");
        check(line.run("services", "deregister", file), 0, "Deregistered service: cli-web\n", "");
        check(line.run("services", "deregister", "-id=b1"), 0, "Deregistered service: b1\n", "");
        check(
                line.run("services", "register"),
                1,
                "",
                "Service registration requires at least one argument or flags.\n");
        check(
                line.run("services", "deregister"),
                1,
                "",
                "Service deregistration requires at least one argument or -id.\n");
        String bad = write("bad.json", "{\"service\":");
        check(
                line.run("services", "register", bad),
                1,
                "",
                "Error: failed to parse " + bad + ": unexpected end of JSON input\n");
    }

    // Keys and values

    @Test
    void valuesAreRead() {
        line.on("GET /v1/kv/cli/a", 200, pairs("cli/a", 5, "v1"))
                .on(
                        "GET /v1/kv/cli/?recurse=",
                        200,
                        pairs("cli/a", 0, "v1", "cli/b", 0, "two\n", "cli/n", 0, ""))
                .on("GET /v1/kv/cli?keys=&separator=%2F", 200, "[\"cli/\"]")
                .on("GET /v1/kv/cli/?keys=", 200, "[\"cli/a\",\"cli/b\"]");
        check(line.run("kv", "get", "cli/a"), 0, "v1\n", "");
        check(line.run("kv", "get", "/cli/a"), 0, "v1\n", "");
        check(line.run("kv", "get", "-base64", "cli/a"), 0, "djE=\n", "");
        check(
                line.run("kv", "get", "-detailed", "cli/a"),
                0,
                "CreateIndex      325\nFlags            5\nKey              cli/a\nLockIndex        0\nModifyIndex      325\nSession          -\nValue            v1\n",
                "");
        check(line.run("kv", "get", "-recurse", "cli/"), 0, "cli/a:v1\ncli/b:two\n\ncli/n:\n", "");
        assertThat(line.run("kv", "get", "-recurse", "-detailed", "cli/").out())
                .contains("Value            v1\n\nCreateIndex")
                .contains("Value            two\n\n\nCreateIndex")
                .endsWith("Session          -\nValue\n");
        check(line.run("kv", "get", "-keys", "cli"), 0, "cli/\n", "");
        check(line.run("kv", "get", "-keys", "-separator=", "cli/"), 0, "cli/a\ncli/b\n", "");
        check(line.run("kv", "get", "nope"), 1, "", "Error! No key exists at: nope\n");
        check(line.run("kv", "get", "-recurse", "nope/"), 0, "", "");
        check(line.run("kv", "get"), 1, "", "Error! Missing KEY argument\n");
    }

    @Test
    void valuesAreWritten() throws IOException {
        line.on("PUT /v1/kv/cli/a", 200, "true")
                .on("PUT /v1/kv/cli/b?flags=5", 200, "true")
                .on("PUT /v1/kv/cli/a?cas=1", 200, "false")
                .on("PUT /v1/kv/cli/a?cas=0", 200, "true")
                .on("PUT /v1/kv/l?acquire=s", 200, "true");
        check(line.run("kv", "put", "cli/a", "v1"), 0, "Success! Data written to: cli/a\n", "");
        check(line.run("kv", "put", "cli/a"), 0, "Success! Data written to: cli/a\n", "");
        assertThat(line.requests()).containsExactly("PUT /v1/kv/cli/a v1", "PUT /v1/kv/cli/a");
        check(
                line.runWith("from stdin", "kv", "put", "-flags=5", "cli/b", "-"),
                0,
                "Success! Data written to: cli/b\n",
                "");
        assertThat(line.requests().getLast()).endsWith(" from stdin");
        line.run("kv", "put", "cli/a", "@" + write("val", "file value\n"));
        assertThat(line.requests().getLast()).endsWith(" file value\n");
        line.run("kv", "put", "-base64", "cli/a", "aGk=");
        assertThat(line.requests().getLast()).endsWith(" hi");
        check(
                line.run("kv", "put", "cli/d", "@nope"),
                1,
                "",
                "Error! Failed to read file: open nope: no such file or directory\n");
        check(line.run("kv", "put"), 1, "", "Error! Missing KEY argument\n");
        check(
                line.run("kv", "put", "-cas", "-modify-index=1", "cli/a", "x"),
                1,
                "",
                "Error! Did not write to cli/a: CAS failed\n");
        check(
                line.run("kv", "put", "-cas", "cli/a", "x"),
                0,
                "Success! Data written to: cli/a\n",
                "");
        check(
                line.run("kv", "put", "-acquire", "-session=s", "l"),
                0,
                "Success! Lock acquired on: l\n",
                "");
    }

    @Test
    void keysAreDeleted() {
        line.on("DELETE /v1/kv/cli/a", 200, "true")
                .on("DELETE /v1/kv/cli/?recurse=", 200, "true")
                .on("DELETE /v1/kv/cli/a?cas=1", 200, "false");
        check(line.run("kv", "delete", "cli/a"), 0, "Success! Deleted key: cli/a\n", "");
        check(
                line.run("kv", "delete", "-recurse", "cli/"),
                0,
                "Success! Deleted keys with prefix: cli/\n",
                "");
        check(
                line.run("kv", "delete", "-cas", "-modify-index=1", "cli/a"),
                1,
                "",
                "Error! Did not delete key cli/a: CAS failed\n");
        check(
                line.run("kv", "delete", "-cas", "x"),
                1,
                "",
                "Cannot delete a key that does not exist. Provide a -modify-index greater than than 0.\n");
        check(line.run("kv", "delete"), 1, "", "Error! Missing KEY argument\n");
    }

    @Test
    void pairsAreExportedAndImported() throws IOException {
        line.on("GET /v1/kv/cli/?recurse=", 200, pairs("cli/a", 0, "v1", "cli/n", 5, ""))
                .on("PUT /v1/kv/cli/i?flags=3", 200, "true");
        check(
                line.run("kv", "export", "cli/"),
                0,
                "[\n\t{\n\t\t\"key\": \"cli/a\",\n\t\t\"flags\": 0,\n\t\t\"value\": \"djE=\"\n\t},\n\t{\n\t\t\"key\": \"cli/n\",\n\t\t\"flags\": 5,\n\t\t\"value\": \"\"\n\t}\n]\n",
                "");
        String file = write("imp.json", "[{\"key\":\"cli/i\",\"flags\":3,\"value\":\"aGVsbG8=\"}]");
        check(line.run("kv", "import", "@" + file), 0, "Imported: cli/i\n", "");
        assertThat(line.requests().getLast()).isEqualTo("PUT /v1/kv/cli/i?flags=3 hello");
        check(line.runWith("[]", "kv", "import", "-"), 0, "", "");
        assertThat(line.run("kv", "import", "-prefix=x", "@" + file).err())
                .startsWith("flag provided but not defined: -prefix\nUsage:\n");
    }

    @Test
    void keysAreEscapedAsGoDoes() {
        line.on("PUT /v1/kv/a%20b/%C3%A4%3F%25+=", 200, "true");
        check(line.run("kv", "put", "a b/ä?%+="), 0, "Success! Data written to: a b/ä?%+=\n", "");
    }

    // The connection

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "members | Error retrieving members: Get \"http://127.0.0.1:1/v1/agent/members?segment=_all\": dial tcp 127.0.0.1:1: connect: connection refused",
                "kv get x | Error querying Consul agent: Get \"http://127.0.0.1:1/v1/kv/x\": dial tcp 127.0.0.1:1: connect: connection refused",
                "info | Error querying agent: Get \"http://127.0.0.1:1/v1/agent/self\": dial tcp 127.0.0.1:1: connect: connection refused",
                "leave | Error leaving: Put \"http://127.0.0.1:1/v1/agent/leave\": dial tcp 127.0.0.1:1: connect: connection refused",
                "watch -type=nodes | Error querying Consul agent: Get \"http://127.0.0.1:1/v1/agent/self\": dial tcp 127.0.0.1:1: connect: connection refused"
            })
    void anAbsentAgentIsToldInGosWords(String words, String error) {
        line.variable("CONSUL_HTTP_ADDR", "127.0.0.1:1");
        check(line.run(words.split(" ")), 1, "", error + "\n");
    }

    @Test
    void theEnvironmentIsConsuls() throws IOException {
        line.on("GET /v1/kv/x", 200, pairs("x", 0, "v"))
                .on("GET /v1/kv/x?dc=dc2&stale=", 200, pairs("x", 0, "v"));
        line.variable("CONSUL_HTTP_TOKEN", "secret").variable("CONSUL_HTTP_AUTH", "me:pw");
        check(line.run("kv", "get", "x"), 0, "v\n", "");
        assertThat(line.header("X-consul-token")).isEqualTo("secret");
        assertThat(line.header("Authorization")).isEqualTo("Basic bWU6cHc=");
        line.variable("CONSUL_HTTP_TOKEN_FILE", write("token", " filed\n"));
        line.run("kv", "get", "x");
        assertThat(line.header("X-consul-token")).isEqualTo("filed");
        line.run("kv", "get", "-token=given", "x");
        assertThat(line.header("X-consul-token")).isEqualTo("given");
        check(line.run("kv", "get", "-datacenter=dc2", "-stale", "x"), 0, "v\n", "");
        String address = line.address();
        line.variable("CONSUL_HTTP_ADDR", "127.0.0.1:1");
        check(line.run("kv", "get", "-http-addr=http://" + address, "x"), 0, "v\n", "");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "-http-addr=unix:///x | Error connecting to Consul agent: \"unix:///x\": only http:// and https:// are available in this version",
                "-ca-file=x | Error connecting to Consul agent: -ca-file is not available in this version"
            })
    void optionsThatCanNotBeHonouredAreRefused(String option, String error) {
        check(line.run("kv", "get", option, "x"), 1, "", error + "\n");
    }

    // Watch

    @Test
    void aWatchIsCheckedFirst() {
        assertThat(line.run("watch").err())
                .startsWith(
                        "Watch type must be specified\n\nUsage: consul watch [options] [child...]\n");
        check(line.run("watch", "-type=nope"), 1, "", "Unsupported watch type: nope\n");
        check(line.run("watch", "-type=key"), 1, "", "Must specify a single key to watch\n");
    }

    @Test
    void aWatchWithoutAChildShowsThePresentState() {
        line.on("GET /v1/agent/self", 200, SELF)
                .on(
                        "GET /v1/health/service/web?tag=a&tag=b&passing=1",
                        200,
                        """
                        [{"Node":{"Node":"n1","Meta":{}},
                          "Service":{"ID":"w","Service":"web","Tags":[],"Address":"","Meta":null,"Port":80,"Connect":{},"ModifyIndex":6},
                          "Checks":[{"Node":"n1","Type":"http","Definition":{"Interval":"10s","TCP":"x"},"CreateIndex":6}]}]
                        """);
        check(line.run("watch", "-type=key", "-key=cli/lock"), 0, "null\n", "");
        check(
                line.run(
                        "watch",
                        "-type=service",
                        "-service=web",
                        "-tag=a",
                        "-tag=b",
                        "-passingonly=true"),
                0,
                """
                [
                    {
                        "Node": {
                            "Node": "n1",
                            "Meta": {}
                        },
                        "Service": {
                            "ID": "w",
                            "Service": "web",
                            "Tags": [],
                            "Meta": null,
                            "Port": 80,
                            "Address": "",
                            "ModifyIndex": 6,
                            "Connect": {}
                        },
                        "Checks": [
                            {
                                "Node": "n1",
                                "Type": "http",
                                "Definition": {
                                    "Interval": "10s",
                                    "Timeout": "0s",
                                    "DeregisterCriticalServiceAfter": "0s",
                                    "HTTP": "",
                                    "Header": null,
                                    "Method": "",
                                    "Body": "",
                                    "TLSSkipVerify": false,
                                    "TCP": "x"
                                },
                                "CreateIndex": 6
                            }
                        ]
                    }
                ]
                """,
                "");
    }

    @Test
    void aFailingChildEndsTheWatch() {
        line.on("GET /v1/agent/self", 200, SELF).on("GET /v1/catalog/services", 200, "{}");
        check(
                line.run("watch", "-type=services", "exit", "3"),
                1,
                "",
                "Error executing handler: exit status 3\n");
        check(
                line.run("watch", "-type=services", "-shell=false", "/nonexistent"),
                1,
                "",
                "Error executing handler: fork/exec /nonexistent: no such file or directory\n");
    }

    @Test
    void aFailingChildIsRunAgainWhenAskedTo() throws Exception {
        line.on("GET /v1/agent/self", 200, SELF)
                .on("GET /v1/catalog/services", 200, "{}")
                .on("GET /v1/catalog/services?index=7", 500, "No cluster leader");
        Path runs = directory.resolve("runs");
        String child = "cat >> %s; exit 1".formatted(runs);
        Thread watch =
                Thread.ofVirtual()
                        .start(() -> line.run("watch", "-type=services", "-keep-running", child));
        await().until(() -> line.requests().contains("GET /v1/catalog/services?index=7"));
        watch.interrupt();
        assertThat(watch.join(Duration.ofSeconds(10))).isTrue();
        assertThat(runs).hasContent("{}");
    }

    private static String pairs(Object... keysFlagsAndValues) {
        var pairs = new ArrayList<String>();
        for (int at = 0; at < keysFlagsAndValues.length; at += 3) {
            String value = (String) keysFlagsAndValues[at + 2];
            String encoded =
                    value.isEmpty()
                            ? "null"
                            : "\""
                                    + Base64.getEncoder()
                                            .encodeToString(
                                                    value.getBytes(
                                                            java.nio.charset.StandardCharsets
                                                                    .UTF_8))
                                    + "\"";
            pairs.add(
                    "{\"LockIndex\":0,\"Key\":\"%s\",\"Flags\":%s,\"Value\":%s,\"CreateIndex\":325,\"ModifyIndex\":325}"
                            .formatted(
                                    keysFlagsAndValues[at], keysFlagsAndValues[at + 1], encoded));
        }
        return "[" + String.join(",", pairs) + "]";
    }

    // Keyring

    private static final String KEY = "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=";

    @Test
    void keysAreListedByPool() {
        line.on(
                "GET /v1/operator/keyring",
                200,
                """
                [{"WAN":true,"Datacenter":"dc1","Keys":{"%1$s":1},"PrimaryKeys":{},"NumNodes":1},
                 {"WAN":false,"Datacenter":"dc1","Keys":{"%1$s":3},"PrimaryKeys":{"%1$s":2},"NumNodes":3}]
                """
                        .formatted(KEY));
        check(
                line.run("keyring", "-list"),
                0,
                "==> Gathering installed encryption keys...\n\nWAN:\n  %1$s [1/1]\n\ndc1 (LAN):\n  %1$s [3/3]\n"
                        .formatted(KEY),
                "");
        check(
                line.run("keyring", "-list-primary"),
                0,
                "==> Gathering installed encryption keys...\n\nWAN:\n\ndc1 (LAN):\n  %s [2/3]\n"
                        .formatted(KEY),
                "");
    }

    @ParameterizedTest
    @CsvSource({
        "install, POST, Installing new gossip encryption key",
        "use, PUT, Changing primary gossip encryption key",
        "remove, DELETE, Removing gossip encryption key"
    })
    void aKeyIsChangedOnAllMembers(String flag, String method, String notice) {
        line.on(method + " /v1/operator/keyring", 200, "");
        check(line.run("keyring", "-" + flag + "=" + KEY), 0, "==> " + notice + "...\n", "");
        assertThat(line.requests())
                .containsExactly(method + " /v1/operator/keyring {\"Key\":\"" + KEY + "\"}");
    }

    @Test
    void faultsOfKeyringReadAsConsuls() {
        line.on("GET /v1/operator/keyring", 500, "Keyring is empty");
        check(
                line.run("keyring", "-list"),
                1,
                "==> Gathering installed encryption keys...\n",
                "error: Unexpected response code: 500 (Keyring is empty)\n");
        check(line.run("keyring", "-list", "-use=x"), 1, "", "Only a single action is allowed\n");
        assertThat(line.run("keyring").err()).startsWith("Usage: ");
    }
}
