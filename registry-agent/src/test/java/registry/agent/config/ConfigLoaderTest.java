package registry.agent.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import registry.api.ServiceAddress;
import registry.api.Weights;

class ConfigLoaderTest {
    @TempDir private Path directory;
    private Sources sources;

    @BeforeEach
    void sources() {
        sources = new Sources(directory);
    }

    // Defaults

    @Test
    void defaultsAreConsuls() throws ConfigException {
        AgentConfig config = sources.config();
        assertThat(config.server()).isFalse();
        assertThat(config.bootstrapExpect()).isZero();
        assertThat(config.datacenter()).isEqualTo("dc1");
        assertThat(config.nodeName()).isEqualTo("here");
        assertThat(config.bindAddr()).isEqualTo("0.0.0.0");
        assertThat(config.advertiseAddr()).isEqualTo("10.0.0.7");
        assertThat(config.clientAddrs()).containsExactly("127.0.0.1");
        assertThat(config.ports())
                .isEqualTo(new AgentConfig.Ports(8600, 8500, -1, 8301, 8302, 8300));
        assertThat(config.taggedAddresses())
                .containsExactlyInAnyOrderEntriesOf(
                        Map.of(
                                "lan",
                                "10.0.0.7",
                                "lan_ipv4",
                                "10.0.0.7",
                                "wan",
                                "10.0.0.7",
                                "wan_ipv4",
                                "10.0.0.7"));
        assertThat(config.leaveOnTerminate()).isTrue();
        assertThat(config.skipLeaveOnInterrupt()).isFalse();
        assertThat(config.enableScriptChecks()).isFalse();
        assertThat(config.enableLocalScriptChecks()).isTrue();
        assertThat(config.checkUpdateInterval()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.checkOutputMaxSize()).isEqualTo(4096);
        assertThat(config.defaultQueryTime()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.maxQueryTime()).isEqualTo(Duration.ofMinutes(10));
        assertThat(config.reconnectTimeout()).isEqualTo(Duration.ofHours(72));
        assertThat(config.raftMultiplier()).isEqualTo(5);
        assertThat(config.logLevel()).isEqualTo("INFO");
        assertThat(config.limits().kvMaxValueSize()).isEqualTo(524288);
    }

    @Test
    void serversStayOnSignals() throws ConfigException {
        AgentConfig config = sources.flags("{\"server\": true, \"bootstrap_expect\": 1}").config();
        assertThat(config.leaveOnTerminate()).isFalse();
        assertThat(config.skipLeaveOnInterrupt()).isTrue();
        assertThat(config.bootstrapExpect()).isEqualTo(1);
    }

    @Test
    void devIsASingleServerOnLoopbackWithoutADataDirectory() throws ConfigException {
        AgentConfig config = sources.dev().privateV4().config();
        assertThat(config.devMode()).isTrue();
        assertThat(config.server()).isTrue();
        assertThat(config.bootstrapExpect()).isEqualTo(1);
        assertThat(config.dataDir()).isNull();
        assertThat(config.bindAddr()).isEqualTo("127.0.0.1");
        assertThat(config.advertiseAddr()).isEqualTo("127.0.0.1");
        assertThat(config.logLevel()).isEqualTo("DEBUG");
    }

    // Sources and merging

    @Test
    void filesOfADirectoryCountInByteOrderThenLaterSourcesThenFlags() throws ConfigException {
        sources.write(
                        "d/10.json",
                        "{\"node_name\": \"ten\", \"log_level\": \"warn\", \"datacenter\": \"a\"}")
                .write("d/9.json", "{\"node_name\": \"nine\", \"datacenter\": \"b\"}")
                .write("d/B.json", "{\"datacenter\": \"upper\"}")
                .write("d/a.json", "{\"datacenter\": \"lower\"}")
                .write("d/sub/z.json", "{\"datacenter\": \"below\"}")
                .path("d")
                .flags("{\"log_level\": \"err\"}");
        AgentConfig config = sources.config();
        assertThat(config.nodeName()).isEqualTo("nine");
        assertThat(config.datacenter()).isEqualTo("lower");
        assertThat(config.logLevel()).isEqualTo("ERR");
    }

    @Test
    void listsAreAppendedAndMapsMerged() throws ConfigException {
        sources.file(
                        "a.json",
                        "{\"retry_join\": [\"a\"], \"node_meta\": {\"x\": \"1\", \"y\": \"1\"}, \"ports\": {\"http\": 1}}")
                .file(
                        "b.json",
                        "{\"retry_join\": [\"b\"], \"node_meta\": {\"y\": \"2\"}, \"ports\": {\"dns\": 2}}")
                .flags("{\"retry_join\": [\"c\"]}");
        AgentConfig config = sources.config();
        assertThat(config.retryJoin()).containsExactly("a", "b", "c");
        assertThat(config.nodeMeta())
                .containsExactlyInAnyOrderEntriesOf(Map.of("x", "1", "y", "2"));
        assertThat(config.ports().http()).isEqualTo(1);
        assertThat(config.ports().dns()).isEqualTo(2);
    }

    @Test
    void serviceAndCheckOfSeveralSourcesAllCount() throws ConfigException {
        sources.file(
                        "a.json",
                        "{\"service\": {\"name\": \"a\"}, \"check\": {\"name\": \"ca\", \"ttl\": \"1m\"}}")
                .file(
                        "b.json",
                        "{\"service\": {\"name\": \"b\"}, \"services\": [{\"name\": \"c\"}, {\"name\": \"d\"}]}")
                .file("c.json", "{\"checks\": [{\"name\": \"cb\", \"ttl\": \"1m\"}]}");
        AgentConfig.Definitions definitions = sources.config().definitions();
        assertThat(definitions.services())
                .extracting(ServiceDefinition::name)
                .containsExactly("a", "b", "c", "d");
        assertThat(definitions.checks())
                .extracting(CheckDefinition::name)
                .containsExactly("ca", "cb");
    }

    @Test
    void theLaterDefinitionOfAnIdCountsAndBothFilesAreNamed() throws ConfigException {
        sources.file("a.json", "{\"service\": {\"name\": \"web\", \"port\": 1}}")
                .file(
                        "b.json",
                        "{\"service\": {\"id\": \"WEB\", \"name\": \"other\", \"port\": 2}}");
        assertThat(sources.config().definitions().services())
                .extracting(ServiceDefinition::port)
                .containsExactly(2);
        assertThat(sources.warnings())
                .containsExactly(
                        "service \"WEB\" is defined in a.json and in b.json, the latter counts");
    }

    @Test
    void otherSuffixesAreSkippedWithConsulsWarning() throws ConfigException {
        sources.write("d/30.txt", "no").path("d");
        assertThat(sources.warnings())
                .containsExactly(
                        "skipping file d/30.txt, extension must be .hcl or .json, or config format must be set");
    }

    @Test
    void aFormatMakesEverySuffixJson() throws ConfigException {
        assertThat(
                        sources.file("a.conf", "{\"node_name\": \"x\"}")
                                .format("json")
                                .config()
                                .nodeName())
                .isEqualTo("x");
    }

    @Test
    void hclAndJsonStandSideBySideInOrderOfTheirNames() throws ConfigException {
        sources.write("d/1.json", "{\"node_name\": \"one\", \"datacenter\": \"dc1\"}")
                .write(
                        "d/2.hcl",
                        """
                        node_name = "two"
                        service {
                          name = "web" port = 80 tags = ["a"]
                          meta { version = "1" }
                          check { name = "alive" tcp = "127.0.0.1:80" interval = "10s" }
                          checks { name = "also" ttl = "10s" }
                        }
                        watches { type = "nodes", args = ["true"] }
                        """)
                .write("d/3.json", "{\"service\": {\"name\": \"db\", \"port\": 5432}}")
                .write("d/4.hcl", "{\"datacenter\": \"json-in-hcl\"}")
                .path("d");
        AgentConfig config = sources.config();
        assertThat(config.nodeName()).isEqualTo("two");
        assertThat(config.datacenter()).isEqualTo("json-in-hcl");
        assertThat(config.definitions().services())
                .extracting(ServiceDefinition::name)
                .containsExactly("web", "db");
        assertThat(config.definitions().services().getFirst().meta()).containsEntry("version", "1");
        assertThat(config.definitions().services().getFirst().checks()).hasSize(2);
        assertThat(config.definitions().watches()).hasSize(1);
    }

    @Test
    void faultsOfHclHaveTheirPlace() {
        assertThat(sources.file("a.hcl", "server = true\nservice {\n name = web }\n").fault())
                .isEqualTo(
                        "failed to parse a.hcl:3:9: found web, expected a value; texts stand in quotes");
        assertThat(new Sources(directory).file("b.hcl", "foo = 1\n").fault())
                .isEqualTo(
                        "failed to parse b.hcl: 1 error occurred:\n\t* invalid config key foo\n\n");
        assertThat(
                        new Sources(directory)
                                .file("c.hcl", "service { name = \"a\" }\nservice { name = \"b\" }")
                                .fault())
                .isEqualTo(
                        "failed to parse c.hcl: 1 error(s) decoding:\n\n* 'service' expected a map, got 'slice'");
        assertThat(new Sources(directory).format("yaml").fault())
                .isEqualTo("-config-format must be either 'hcl' or 'json'");
    }

    @Test
    void keysAreTakenInAnyLetterCase() throws ConfigException {
        sources.file(
                "a.json",
                "{\"Node_Name\": \"n\", \"SERVICE\": {\"Name\": \"w\", \"PORT\": 80, \"Meta\": {\"A\": \"b\"}}}");
        AgentConfig config = sources.config();
        assertThat(config.nodeName()).isEqualTo("n");
        assertThat(config.definitions().services().getFirst().port()).isEqualTo(80);
        assertThat(config.definitions().services().getFirst().meta()).containsEntry("A", "b");
    }

    @Test
    void loadingAgainSeesTheFilesAsTheyAreNow() throws ConfigException {
        sources.file("a.json", "{\"service\": {\"name\": \"one\"}}");
        assertThat(sources.config().definitions().services()).hasSize(1);
        sources.write("a.json", "{\"services\": [{\"name\": \"one\"}, {\"name\": \"two\"}]}");
        assertThat(sources.config().definitions().services()).hasSize(2);
    }

    // Definitions

    @Test
    void theArticlesFileMakesAShellCheck() throws ConfigException, IOException {
        try (var in = ConfigLoaderTest.class.getResourceAsStream("web.json")) {
            sources.file("web.json", new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
        ServiceDefinition service = sources.config().definitions().services().getFirst();
        assertThat(service.id()).isEqualTo("web-frontend");
        assertThat(service.name()).isEqualTo("web-frontend");
        assertThat(service.tags()).containsExactly("rails");
        assertThat(service.port()).isEqualTo(80);
        CheckDefinition check = service.checks().getFirst();
        assertThat(check.args())
                .containsExactly("/bin/sh", "-c", "curl localhost:80 >/dev/null 2>&1");
        assertThat(check.interval()).isEqualTo(Duration.ofSeconds(10));
        assertThat(check.type()).isEqualTo("script");
    }

    @Test
    void aServiceMayHaveEverything() throws ConfigException {
        sources.file(
                "s.json",
                """
                {"service": {"id": "w1", "name": "web", "tags": ["a", "b"], "address": "10.0.0.1", "port": 80, "kind": "x",
                  "meta": {"k": "v"}, "tagged_addresses": {"wan": {"address": "1.2.3.4", "port": 81}},
                  "weights": {"passing": 5, "warning": 2}, "enable_tag_override": true, "token": "t",
                  "check": {"http": "http://x", "interval": "10s"},
                  "checks": [{"tcp": "x:1", "interval": "1m", "timeout": "1s"}]}}
                """);
        ServiceDefinition service = sources.config().definitions().services().getFirst();
        assertThat(service.id()).isEqualTo("w1");
        assertThat(service.weights()).isEqualTo(new Weights(5, 2));
        assertThat(service.taggedAddresses())
                .containsEntry("wan", new ServiceAddress("1.2.3.4", 81));
        assertThat(service.enableTagOverride()).isTrue();
        assertThat(service.token()).isEqualTo("t");
        assertThat(service.checks())
                .extracting(CheckDefinition::type)
                .containsExactly("http", "tcp");
    }

    @Test
    void aCheckMayHaveEverything() throws ConfigException {
        sources.file(
                "c.json",
                """
                {"check": {"id": "i", "name": "n", "notes": "o", "service_id": "s", "token": "t", "status": "passing",
                  "http": "https://x", "method": "PUT", "header": {"X": ["a", "b"]}, "body": "b", "tls_skip_verify": true,
                  "interval": "1m30s", "timeout": "500ms", "success_before_passing": 2, "failures_before_critical": 3,
                  "deregister_critical_service_after": "1h", "output_max_size": 10}}
                """);
        CheckDefinition check = sources.config().definitions().checks().getFirst();
        assertThat(check.serviceId()).isEqualTo("s");
        assertThat(check.status()).isEqualTo("passing");
        assertThat(check.header()).containsEntry("X", List.of("a", "b"));
        assertThat(check.tlsSkipVerify()).isTrue();
        assertThat(check.interval()).isEqualTo(Duration.ofSeconds(90));
        assertThat(check.timeout()).isEqualTo(Duration.ofMillis(500));
        assertThat(check.successBeforePassing()).isEqualTo(2);
        assertThat(check.failuresBeforeCritical()).isEqualTo(3);
        assertThat(check.deregisterCriticalServiceAfter()).isEqualTo(Duration.ofHours(1));
        assertThat(check.outputMaxSize()).isEqualTo(10);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"check\": {\"name\": \"c\", \"ServiceID\": \"s\", \"ttl\": \"1m\"}}",
                "{\"check\": {\"name\": \"c\", \"ScriptArgs\": [\"true\"], \"interval\": \"1m\"}}",
                "{\"check\": {\"name\": \"c\", \"args\": [\"true\"], \"DockerContainerID\": \"x\", \"interval\": \"1m\"}}",
                "{\"check\": {\"name\": \"c\", \"http\": \"http://x\", \"TLSSkipVerify\": true, \"interval\": \"1m\"}}",
                "{\"check\": {\"name\": \"c\", \"ttl\": \"1m\", \"DeregisterCriticalServiceAfter\": \"1h\"}}"
            })
    void joinedSpellingsOfCheckMembersAreTaken(String file) throws ConfigException {
        assertThat(sources.file("a.json", file).config().definitions().checks()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"services\": [{\"name\": \"a\", \"EnableTagOverride\": true}]} | services[0].EnableTagOverride",
                "{\"check\": {\"name\": \"a\", \"script_args\": [], \"ttl\": \"1m\"}} | check.script_args",
                "{\"service\": {\"name\": \"a\", \"check\": {\"CheckID\": \"x\", \"ttl\": \"1m\"}}} | service.check.CheckID",
                "{\"ports\": {\"htp\": 1}} | ports.htp",
                "{\"foo\": 1} | foo",
                "{\"_comment\": \"x\"} | _comment",
                "{\"atlas_token\": \"x\"} | atlas_token"
            })
    void unknownKeysAreRefusedWithConsulsText(String file, String key) {
        assertThat(sources.file("f.json", file).fault())
                .isEqualTo(
                        "failed to parse f.json: 1 error occurred:\n\t* invalid config key "
                                + key
                                + "\n\n");
    }

    @Test
    void allUnknownKeysAreToldAtOnce() {
        assertThat(sources.file("f.json", "{\"foo\": 1, \"bar\": 2}").fault())
                .isEqualTo(
                        "failed to parse f.json: 2 errors occurred:\n\t* invalid config key foo\n\t* invalid config key bar\n\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"service\": {\"port\": 1}} | failed to parse f.json: service: Missing service name",
                "{\"service\": {\"name\": \"a\", \"port\": \"80\"}} | failed to parse f.json: service.port: \"80\", expected a whole number",
                "{\"service\": {\"name\": \"a\", \"port\": 70000}} | failed to parse f.json: service.port: 70000, expected a port from 0 to 65535",
                "{\"service\": {\"name\": \"a\", \"tags\": \"x\"}} | failed to parse f.json: service.tags: \"x\", expected a list of texts",
                "{\"service\": {\"name\": \"a\", \"tags\": [1]}} | failed to parse f.json: service.tags: 1, expected only texts in it",
                "{\"service\": [{}, {}]} | failed to parse f.json: service: a list, expected an object (several of them go into \"services\")",
                "{\"services\": {}} | failed to parse f.json: services: an object, expected a list of objects",
                "{\"service\": {\"name\": \"a\", \"weights\": {\"warning\": 1}}} | failed to parse f.json: service: Invalid Weights: Passing must be greater than 0",
                "{\"service\": {\"name\": \"a\", \"address\": \"0.0.0.0\"}} | failed to parse f.json: service: Invalid service address",
                "{\"service\": {\"name\": \"a\", \"meta\": {\"a b\": \"c\"}}} | failed to parse f.json: service: Invalid Service Meta: Couldn't load metadata pair ('a b', 'c'): Key contains invalid characters",
                "{\"services\": [{\"name\": \"a\", \"check\": {\"http\": \"x\"}}]} | failed to parse f.json: services[0]: Invalid check: Interval must be > 0 for Script, HTTP, or TCP checks",
                "{\"check\": {\"name\": \"a\"}} | failed to parse f.json: check: Invalid check: TTL must be > 0 for TTL checks",
                "{\"check\": {\"ttl\": \"1m\"}} | failed to parse f.json: check: Missing check name",
                "{\"check\": {\"name\": \"a\", \"ttl\": 10}} | failed to parse f.json: check.ttl: 10, expected a duration in quotes as in \"10s\"",
                "{\"checks\": [{\"name\": \"a\", \"tcp\": \"x\", \"interval\": \"10\"}]} | failed to parse f.json: checks[0].interval: missing unit in duration \"10\", expected a number with a unit as in \"10s\" or \"1m30s\"",
                "{\"check\": {\"name\": \"a\", \"udp\": \"x\", \"interval\": \"1s\"}} | failed to parse f.json: check.udp: not available in this version",
                "{\"check\": {\"name\": \"a\", \"script\": \"x\", \"args\": [\"y\"], \"interval\": \"1s\"}} | failed to parse f.json: check: expected \"args\" or \"script\", not both",
                "{\"server\": \"yes\"} | failed to parse f.json: server: \"yes\", expected true or false",
                "{\"ports\": {\"http\": 65536}} | failed to parse f.json: ports.http: 65536, expected a port from 1 to 65535, or -1 for off",
                "{\"ports\": 1} | failed to parse f.json: ports: 1, expected an object",
                "{\"node_meta\": {\"a\": 1}} | failed to parse f.json: node_meta: 1, expected only texts in it",
                "[] | failed to parse f.json: a list, expected an object",
                "{\"watches\": [{\"type\": \"nope\"}]} | failed to parse f.json: watches[0]: Unsupported watch type: nope",
                "{\"watches\": [{\"type\": \"nodes\"}]} | failed to parse f.json: watches[0]: expected \"args\", or \"handler_type\": \"http\" with \"http_handler_config\"",
                "{\"watches\": [{\"type\": \"nodes\", \"args\": [\"x\"], \"foo\": 1}]} | failed to parse f.json: watches[0]: Invalid parameters: [foo]"
            })
    void wrongValuesAreToldWithFilePathAndValue(String file, String fault) {
        assertThat(sources.file("f.json", file).fault()).isEqualTo(fault);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"service\": | failed to parse f.json: unexpected end of JSON input",
                "`` | failed to parse f.json: unexpected end of JSON input",
                "{\\n  \"a\": 1,\\n} | failed to parse f.json: unexpected character ('}' (code 125)): was expecting double-quote to start field name (line 3, column 1)",
                "{\\n \"server\": true\\n | failed to parse f.json: unexpected end of JSON input (line 3, column 1)"
            })
    void malformedJsonIsToldWithItsLine(String text, String fault) {
        assertThat(sources.file("f.json", text.replace("\\n", "\n")).fault()).startsWith(fault);
    }

    @Test
    void deepAndTrailingJsonIsRefused() {
        assertThat(
                        sources.file(
                                        "f.json",
                                        "{\"telemetry\": "
                                                + "[".repeat(2000)
                                                + "]".repeat(2000)
                                                + "}")
                                .fault())
                .startsWith("failed to parse f.json: document nesting depth");
        assertThat(new Sources(directory).file("g.json", "{} {}").fault())
                .startsWith("failed to parse g.json: trailing token");
    }

    // Script checks and who may write their files

    @ParameterizedTest
    @CsvSource({"rw-rw----, 0660", "rw-r---w-, 0642"})
    void aFileThatOthersMayWriteMayNotDefineScripts(String mode, String octal) throws IOException {
        sources.file(
                        "w.json",
                        "{\"check\": {\"name\": \"c\", \"args\": [\"true\"], \"interval\": \"1m\"}}")
                .mode("w.json", mode);
        assertThat(sources.fault())
                .isEqualTo(
                        "w.json: defines a script check, but others than its owner may write it (mode %s, %s): chmod go-w w.json"
                                .formatted(octal, mode));
    }

    @Test
    void aFileThatOthersMayWriteMayDefineOtherChecks() throws ConfigException, IOException {
        sources.file("w.json", "{\"service\": {\"name\": \"a\", \"check\": {\"ttl\": \"1m\"}}}")
                .mode("w.json", "rw-rw-rw-");
        assertThat(sources.config().definitions().services()).hasSize(1);
    }

    @Test
    void scriptsMayBeForbidden() throws ConfigException {
        sources.file(
                        "w.json",
                        "{\"service\": {\"name\": \"a\", \"check\": {\"args\": [\"true\"], \"interval\": \"1m\"}}}")
                .flags("{\"enable_local_script_checks\": false}");
        assertThat(sources.fault())
                .isEqualTo(
                        "w.json: Scripts are disabled on this agent; to enable, configure 'enable_script_checks' or 'enable_local_script_checks' to true");
        assertThat(
                        sources.flags("{\"enable_script_checks\": true}")
                                .config()
                                .definitions()
                                .services())
                .hasSize(1);
    }

    // Start-up errors

    @Test
    void startUpErrorsAreConsuls() throws IOException {
        assertThat(new Sources(directory).noDataDir().fault())
                .isEqualTo("data_dir cannot be empty");
        assertThat(new Sources(directory).path("nope.json").fault())
                .isEqualTo(
                        "config: Open failed on nope.json. open nope.json: no such file or directory");
        Files.writeString(directory.resolve("plain"), "");
        assertThat(
                        new Sources(directory)
                                .flags("{\"data_dir\": \"" + directory.resolve("plain") + "\"}")
                                .fault())
                .isEqualTo("data_dir \"plain\" is not a directory");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"bootstrap_expect\": 3} | 'bootstrap_expect > 0' requires 'server = true'",
                "{\"bootstrap\": true} | 'bootstrap = true' requires 'server = true'",
                "{\"server\": true, \"bootstrap\": true, \"bootstrap_expect\": 3} | 'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive",
                "{\"server\": true, \"bootstrap_expect\": -1} | bootstrap_expect cannot be -1. Must be greater than or equal to zero",
                "{\"datacenter\": \"bad dc\"} | datacenter can only contain lowercase alphanumeric, - or _ characters. received: \"bad dc\"",
                "{\"bind_addr\": \"1.2.3\"} | bind_addr cannot be empty",
                "{\"bind_addr\": \"{{ GetPrivateIP }}\"} | bind_addr: {{ GetPrivateIP }}: address templates are not available in this version, write the address itself",
                "{\"advertise_addr\": \"0.0.0.0\"} | Advertise address cannot be 0.0.0.0, :: or [::]",
                "{\"advertise_addr\": \"host\"} | advertise_addr: \"host\" is not an IP address",
                "{\"client_addr\": \"unix:///tmp/x\"} | client_addr: \"unix:///tmp/x\": sockets in the file system are not available in this version",
                "{\"client_addr\": \"127.0.0.1 localhost\"} | client_addr: \"localhost\" is not an IP address",
                "{\"node_name\": \"\"} | node_name cannot be empty",
                "{\"node_id\": \"x\"} | node_id: \"x\" is not a UUID",
                "{\"node_meta\": {\"consul-x\": \"y\"}} | node_meta invalid: Couldn't load metadata pair ('consul-x', 'y'): Key prefix 'consul-' is reserved for internal use",
                "{\"performance\": {\"raft_multiplier\": 11}} | performance.raft_multiplier cannot be 11. Must be between 1 and 10",
                "{\"reconnect_timeout\": \"1h\"} | reconnect_timeout must be >= 8h0m0s, is 1h0m0s",
                "{\"session_ttl_min\": \"999ms\"} | session_ttl_min must be >= 1s, is 999ms",
                "{\"session_ttl_factor\": 11} | session_ttl_factor cannot be 11. Must be between 1 and 10",
                "{\"log_level\": \"loud\"} | Invalid log level: loud. Valid log levels are: TRACE, DEBUG, INFO, WARN, ERR",
                "{\"check_output_max_size\": 0} | check_output_max_size must be positive, to discard check output use the discard_check_output flag",
                "{\"http_config\": {\"allow_write_http_from\": [\"x\"]}} | http_config.allow_write_http_from: invalid CIDR address: x",
                "{\"encrypt\": \"AAECAwQF\"} | encrypt has invalid key: key size must be 16, 24 or 32 bytes",
                "{\"encrypt\": \"no key\"} | encrypt has invalid key: illegal base64 data",
                "{\"ports\": {\"http\": 8600}} | ports.dns and ports.http are both 8600",
                "{\"retry_interval\": \"-1s\"} | retry_interval: -1s, expected no negative time"
            })
    void settingsThatContradictAreTold(String flags, String fault) {
        assertThat(sources.flags(flags).fault()).isEqualTo(fault);
    }

    // Protection

    @Test
    void tlsOfTheServerPort() throws ConfigException {
        var tls =
                sources.file(
                                "f.json",
                                "{\"ca_file\": \"/ca\", \"cert_file\": \"/c\", \"key_file\": \"/k\", \"verify_incoming_rpc\": true, \"verify_server_hostname\": true}")
                        .config()
                        .rpcTls();
        assertThat(tls.isUsed()).isTrue();
        assertThat(tls.verifyIncoming()).isTrue();
        assertThat(tls.verifyOutgoing()).as("follows from verify_server_hostname").isTrue();
        assertThat(tls.caFile()).hasToString("/ca");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"verify_incoming\": true} | verify_incoming set",
                "{\"verify_outgoing\": true} | verify_outgoing set",
                "{\"verify_server_hostname\": true} | verify_outgoing set",
                "{\"cert_file\": \"x\"} | cert_file and key_file",
                "{\"ca_file\": \"x\", \"key_file\": \"x\"} | cert_file and key_file"
            })
    void halfOfTlsStopsTheStart(String file, String text) {
        assertThat(sources.file("f.json", file).fault()).startsWith(text);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"ca_path\": \"x\"} | ca_path",
                "{\"verify_incoming_https\": true} | verify_incoming_https",
                "{\"acl\": {\"enabled\": true}} | acl.enabled",
                "{\"acl_datacenter\": \"dc1\"} | acl_datacenter",
                "{\"ports\": {\"https\": 8501}} | ports.https",
                "{\"tls\": {\"defaults\": {\"verify_incoming\": true}}} | tls",
                "{\"auto_encrypt\": {\"allow_tls\": true}} | auto_encrypt"
            })
    void protectionThatIsNotThereStopsTheStart(String file, String key) {
        assertThat(sources.file("f.json", file).fault())
                .isEqualTo(
                        "failed to parse f.json: %s: a security setting that this version does not implement; remove it to start without"
                                .formatted(key));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"encrypt\": \"\", \"verify_incoming\": false, \"ports\": {\"https\": -1}, \"tls\": {\"defaults\": {\"verify_incoming\": false}}}",
                "{\"acl\": {\"enabled\": false, \"default_policy\": \"deny\", \"tokens\": {\"default\": \"x\"}}, \"primary_datacenter\": \"dc1\"}",
                "{\"connect\": {\"enabled\": true}, \"config_entries\": {\"bootstrap\": []}, \"segments\": null}",
                "{\"segments\": [], \"ports\": {\"grpc\": 8502, \"sidecar_min_port\": 21000}, \"gossip_lan\": {\"probe_interval\": \"1s\"}}",
                "{\"disable_update_check\": true, \"disable_remote_exec\": true, \"disable_host_node_id\": true}"
            })
    void settingsThatHoldAnywayAreTakenInSilence(String file) throws ConfigException {
        assertThat(sources.file("f.json", file).warnings()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"telemetry\": {\"statsd_address\": \"x:1\"}} | telemetry.statsd_address",
                "{\"statsd_addr\": \"x\"} | statsd_addr",
                "{\"ui_dir\": \"x\"} | ui_dir"
            })
    void settingsWithoutEffectAreTakenWithAWarning(String file, String key) throws ConfigException {
        assertThat(sources.file("f.json", file).warnings())
                .containsExactly("f.json: %s has no effect in this version".formatted(key));
    }

    @Test
    void telemetryIsForWhomItIsWanted() throws ConfigException {
        AgentConfig.Telemetry usual = sources.config().telemetry();
        assertThat(usual)
                .isEqualTo(new AgentConfig.Telemetry(Duration.ZERO, false, "consul", true));
        sources.file(
                "t.json",
                """
                {"telemetry": {"prometheus_retention_time": "30s", "disable_hostname": true,
                               "metrics_prefix": "registry", "disable_compat_1.9": true}}
                """);
        assertThat(sources.warnings()).isEmpty();
        assertThat(sources.config().telemetry())
                .isEqualTo(
                        new AgentConfig.Telemetry(Duration.ofSeconds(30), true, "registry", false));
        assertThat(
                        sources.file(
                                        "u.json",
                                        "{\"telemetry\": {\"prometheus_retention_time\": \"-1s\"}}")
                                .fault())
                .contains("telemetry.prometheus_retention_time");
    }

    // Addresses

    @Test
    void severalPrivateAddressesNeedAChoice() throws ConfigException {
        sources.privateV4("10.0.0.1", "10.0.0.2");
        assertThat(sources.fault())
                .isEqualTo(
                        "Multiple private IPv4 addresses found. Please configure one with 'bind' and/or 'advertise'.");
        assertThat(sources.flags("{\"bind_addr\": \"10.0.0.2\"}").config().advertiseAddr())
                .isEqualTo("10.0.0.2");
    }

    @Test
    void noPrivateAddressNeedsAChoiceToo() throws ConfigException {
        sources.privateV4();
        assertThat(sources.fault())
                .isEqualTo(
                        "No private IPv4 address found. Please configure one with 'bind' and/or 'advertise'.");
        AgentConfig config =
                sources.flags("{\"advertise_addr\": \"8.8.8.8\", \"advertise_addr_wan\": \"::1\"}")
                        .config();
        assertThat(config.advertiseAddr()).isEqualTo("8.8.8.8");
        assertThat(config.taggedAddresses())
                .containsEntry("wan_ipv6", "::1")
                .containsEntry("lan_ipv4", "8.8.8.8");
    }

    @Test
    void clientsMayComeInOnSeveralAddresses() throws ConfigException {
        sources.flags("{\"client_addr\": \"127.0.0.1 [::1]\"}");
        assertThat(sources.config().clientAddrs()).containsExactly("127.0.0.1", "::1");
        sources.flags("{\"addresses\": {\"http\": \"0.0.0.0\"}}");
        assertThat(sources.config().clientAddrs()).containsExactly("0.0.0.0");
    }

    @ParameterizedTest
    @CsvSource({
        "10.1.2.3, true",
        "172.16.0.1, true",
        "172.32.0.1, false",
        "192.168.1.1, true",
        "100.64.0.1, true",
        "100.128.0.1, false",
        "192.0.2.2, true",
        "8.8.8.8, false",
        "169.254.1.1, false"
    })
    void privateAddressesAreThoseNotRouted(String address, boolean isPrivate) {
        assertThat(Machine.isPrivate(InetAddress.ofLiteral(address).getAddress()))
                .isEqualTo(isPrivate);
    }
}
