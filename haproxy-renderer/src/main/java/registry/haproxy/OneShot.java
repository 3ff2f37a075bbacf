package registry.haproxy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import registry.api.client.RegistryClient;
import registry.haproxy.RendererConfig.ServiceConfig;

/** The desired state as the registry tells it at this moment, for the commands that do not stay. */
final class OneShot {
    private OneShot() {}

    /**
     * @throws IOException when a service cannot be asked for
     */
    static DesiredState ask(RendererConfig config, Path lastGood, Clock clock)
            throws IOException, InterruptedException {
        var desired = new DesiredState(lastGood, clock);
        var names = new NameResolver(config.resolveNames());
        List<RegistryClient> clients = Watches.clients(config);
        try {
            for (ServiceConfig service : config.services()) {
                URI agent = config.agents().getFirst();
                desired.answered(service, agent, Watches.once(clients, service, names));
            }
        } finally {
            clients.forEach(RegistryClient::close);
        }
        return desired;
    }
}
