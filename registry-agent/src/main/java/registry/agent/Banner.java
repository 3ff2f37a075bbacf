package registry.agent;

import java.io.PrintStream;
import registry.agent.config.AgentConfig;
import registry.agent.config.AgentConfig.Ports;
import registry.api.Node;

/** What the agent prints before its log begins, in Consul's form. Source: consul-api 8.4. */
final class Banner {
    private Banner() {}

    static void print(PrintStream out, AgentConfig config, Node node, boolean encrypted) {
        Ports ports = config.ports();
        line(out, "Version", "'" + Version.CONSUL + "' (registry " + Version.REGISTRY + ")");
        line(out, "Node ID", "'" + node.id() + "'");
        line(out, "Node name", "'" + config.nodeName() + "'");
        line(out, "Datacenter", "'" + config.datacenter() + "' (Segment: '<all>')");
        line(
                out,
                "Server",
                config.server() + " (Bootstrap: " + (config.bootstrapExpect() == 1) + ")");
        line(
                out,
                "Client Addr",
                config.clientAddrs()
                        + " (HTTP: "
                        + ports.http()
                        + ", HTTPS: "
                        + ports.https()
                        + ", DNS: "
                        + ports.dns()
                        + ")");
        line(
                out,
                "Cluster Addr",
                config.advertiseAddr()
                        + " (LAN: "
                        + ports.serfLan()
                        + ", WAN: "
                        + ports.serfWan()
                        + ")");
        line(out, "Encrypt", "Gossip: " + encrypted + ", TLS-Outgoing: false, TLS-Incoming: false");
        out.println();
        out.println("==> Log data will now stream in as it occurs:");
        out.println();
        out.flush();
    }

    private static void line(PrintStream out, String label, String value) {
        out.println(" ".repeat(Math.max(0, 15 - label.length())) + label + ": " + value);
    }
}
