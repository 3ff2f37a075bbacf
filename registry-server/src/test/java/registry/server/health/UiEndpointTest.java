package registry.server.health;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import registry.server.TestServer;
import registry.server.rpc.Question;

class UiEndpointTest {
    private final TestServer test = new TestServer();

    @BeforeEach
    void threeInstancesOnTwoNodes() {
        test.register(
                """
                {"Node":"h1","Address":"10.0.0.1",
                 "Service":{"ID":"api1","Service":"api","Port":1,"Tags":["blue","x"],
                            "Meta":{"external-source":"nomad"}},
                 "Checks":[{"Name":"node","Status":"passing"},
                           {"Name":"svc","CheckID":"svc1","ServiceID":"api1","Status":"warning"}]}\
                """);
        test.register(
                "{\"Node\":\"h1\",\"Address\":\"10.0.0.1\",\"Service\":{\"ID\":\"api2\",\"Service\":\"api\",\"Tags\":[\"x\",\"y\"]}}");
        test.register(
                """
                {"Node":"h2","Address":"10.0.0.2","Service":{"Service":"db"},
                 "Checks":[{"Name":"node","Status":"critical"}]}\
                """);
    }

    @AfterEach
    void close() {
        test.close();
    }

    @Test
    void aServiceIsSummedUp() {
        assertThat(test.text(Question.INTERNAL_SERVICES, ""))
                .isEqualTo(
                        """
                        [{"Name":"api","Datacenter":"dc1","Tags":["blue","x","y"],"Nodes":["h1"],\
                        "ExternalSources":["nomad"],"InstanceCount":2,"ChecksPassing":1,"ChecksWarning":1,\
                        "ChecksCritical":0,"GatewayConfig":{},"ConnectedWithProxy":false,"ConnectedWithGateway":false},\
                        {"Name":"db","Datacenter":"dc1","Tags":null,"Nodes":["h2"],\
                        "ExternalSources":null,"InstanceCount":1,"ChecksPassing":0,"ChecksWarning":0,\
                        "ChecksCritical":1,"GatewayConfig":{},"ConnectedWithProxy":false,"ConnectedWithGateway":false}]\
                        """);
        assertThat(test.list(Question.INTERNAL_SERVICES, "", "Name", "filter=Service.Port == 1"))
                .containsExactly("api");
    }

    @Test
    void aNodeHasAllThatIsOnIt() {
        assertThat(test.text(Question.INTERNAL_NODE, "H2"))
                .startsWith(
                        "{\"ID\":\"\",\"Node\":\"h2\",\"Address\":\"10.0.0.2\",\"TaggedAddresses\":")
                .contains("\"Services\":[{\"ID\":\"db\"", "\"Tags\":null", "\"ServiceTags\":null");
        assertThat(test.list(Question.INTERNAL_NODES, "", "Node")).containsExactly("h1", "h2");
        assertThat(
                        test.list(
                                Question.INTERNAL_NODES,
                                "",
                                "Node",
                                "filter=Services is not empty and Node == h2"))
                .containsExactly("h2");
    }

    @Test
    void rowsAreCounted() {
        assertThat(test.text(Question.INTERNAL_COUNTS, ""))
                .isEqualTo("{\"Nodes\":2,\"Services\":2,\"ServiceInstances\":3,\"KvEntries\":0}");
    }
}
