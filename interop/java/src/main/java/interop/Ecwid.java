package interop;

import com.ecwid.consul.v1.ConsulClient;
import com.ecwid.consul.v1.QueryParams;
import com.ecwid.consul.v1.agent.model.NewService;
import com.ecwid.consul.v1.health.HealthServicesRequest;
import com.ecwid.consul.v1.kv.model.PutParams;
import com.ecwid.consul.v1.session.model.NewSession;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** com.ecwid.consul:consul-api, which is what Spring Cloud Consul speaks through. */
final class Ecwid {
    private Ecwid() {}

    public static void main(String[] args) throws Exception {
        var client = new ConsulClient(Work.HOST, Work.PORT);
        String id = Work.NAME + "-1";
        var service = new NewService();
        service.setId(id);
        service.setName(Work.NAME);
        service.setPort(8080);
        service.setTags(List.of("a"));
        service.setMeta(Map.of("k", "v"));
        var check = new NewService.Check();
        check.setTtl("30s");
        service.setCheck(check);
        client.agentServiceRegister(service);
        var first = client.getHealthServices(Work.NAME, passing(QueryParams.DEFAULT));
        Work.check(first.getValue().isEmpty(), "nothing passes yet");
        var woken =
                CompletableFuture.supplyAsync(() ->
                        client.getHealthServices(
                                Work.NAME, passing(new QueryParams(20, first.getConsulIndex()))));
        client.agentCheckPass("service:" + id);
        var rows = woken.get(10, TimeUnit.SECONDS).getValue();
        Work.check(rows.get(0).getService().getPort() == 8080, "port");
        Work.check(rows.get(0).getService().getMeta().get("k").equals("v"), "metadata");

        String key = Work.NAME + "/key";
        Work.check(client.setKVValue(key, "value").getValue(), "put");
        Work.check(client.getKVValue(key).getValue().getDecodedValue().equals("value"), "get");
        Work.check(client.getKVValues(Work.NAME).getValue().size() == 1, "recurse");
        var session = new NewSession();
        session.setName("ecwid");
        session.setLockDelay(0);
        String holder = client.sessionCreate(session, QueryParams.DEFAULT).getValue();
        var acquire = new PutParams();
        acquire.setAcquireSession(holder);
        Work.check(client.setKVValue(key, "mine", acquire).getValue(), "acquire");
        Work.check(client.getKVValue(key).getValue().getSession().equals(holder), "holder");
        client.sessionDestroy(holder, QueryParams.DEFAULT);
        client.deleteKVValues(Work.NAME);
        client.agentServiceDeregister(id);
        Work.done("services, checks, blocking, kv, sessions and locks");
    }

    private static HealthServicesRequest passing(QueryParams params) {
        return HealthServicesRequest.newBuilder().setPassing(true).setQueryParams(params).build();
    }
}
