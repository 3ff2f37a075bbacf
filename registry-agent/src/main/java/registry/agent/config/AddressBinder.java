package registry.agent.config;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** Which addresses the agent listens on, and which it tells others. Source: consul-api 8.2, 8.3. */
final class AddressBinder {
    private final Settings settings;
    private final Machine machine;

    AddressBinder(Settings settings, Machine machine) {
        this.settings = settings;
        this.machine = machine;
    }

    /** One IP address, also 0.0.0.0. */
    String bind() throws ConfigException {
        String text = withoutTemplate("bind_addr", settings.text("bind_addr", "0.0.0.0"));
        if (text.contains(" ")) {
            throw new ConfigException("bind_addr cannot contain multiple addresses: " + text);
        }
        if (!IpText.isIp(text)) {
            // Consul's words for whatever is no IP address.
            throw new ConfigException("bind_addr cannot be empty");
        }
        return text;
    }

    /**
     * What was set, else what is bound; if that is every address, the one private address of the
     * machine.
     */
    String advertise(String bind) throws ConfigException {
        String text = settings.text("advertise_addr");
        if (!text.isEmpty()) {
            return specific("advertise_addr", text);
        }
        if (!IpText.isAny(bind)) {
            return bind;
        }
        if (IpText.isV6(bind)) {
            throw new ConfigException(
                    "bind_addr is %s: please configure an address with 'advertise'"
                            .formatted(bind));
        }
        List<String> found = machine.privateV4();
        if (found.isEmpty()) {
            throw new ConfigException(
                    "No private IPv4 address found. Please configure one with 'bind' and/or 'advertise'.");
        }
        if (found.size() > 1) {
            throw new ConfigException(
                    "Multiple private IPv4 addresses found. Please configure one with 'bind' and/or 'advertise'.");
        }
        return found.getFirst();
    }

    String advertiseWan(String advertise) throws ConfigException {
        String text = settings.text("advertise_addr_wan");
        return text.isEmpty() ? advertise : specific("advertise_addr_wan", text);
    }

    /** Addresses of the HTTP listener, at least one. */
    List<String> clients() throws ConfigException {
        String text = settings.section("addresses").text("http");
        String key = text.isEmpty() ? "client_addr" : "addresses.http";
        text =
                withoutTemplate(
                        key, text.isEmpty() ? settings.text("client_addr", "127.0.0.1") : text);
        var clients = new ArrayList<String>();
        for (String address : text.strip().split("\\s+", -1)) {
            if (address.startsWith("unix://")) {
                throw new ConfigException(
                        "%s: \"%s\": sockets in the file system are not available in this version"
                                .formatted(key, address));
            }
            clients.add(ip(key, address));
        }
        return List.copyOf(clients);
    }

    /**
     * The node's addresses under their tags: lan, wan and each with its family, over them what was
     * set.
     */
    SortedMap<String, String> tagged(String advertise, String advertiseWan) {
        var tagged = new TreeMap<String, String>();
        tagged.put("lan", advertise);
        tagged.put("lan_" + family(advertise), advertise);
        tagged.put("wan", advertiseWan);
        tagged.put("wan_" + family(advertiseWan), advertiseWan);
        tagged.putAll(settings.textMap("tagged_addresses"));
        return tagged;
    }

    private static String family(String address) {
        return IpText.isV4(address) ? "ipv4" : "ipv6";
    }

    private static String specific(String key, String text) throws ConfigException {
        String address = ip(key, withoutTemplate(key, text));
        if (IpText.isAny(address)) {
            throw new ConfigException("Advertise address cannot be 0.0.0.0, :: or [::]");
        }
        return address;
    }

    private static String ip(String key, String text) throws ConfigException {
        String address =
                text.startsWith("[") && text.endsWith("]")
                        ? text.substring(1, text.length() - 1)
                        : text;
        if (!IpText.isIp(address)) {
            throw new ConfigException("%s: \"%s\" is not an IP address".formatted(key, text));
        }
        return address;
    }

    private static String withoutTemplate(String key, String text) throws ConfigException {
        if (text.contains("{{")) {
            throw new ConfigException(
                    "%s: %s: address templates are not available in this version, write the address itself"
                            .formatted(key, text));
        }
        return text.startsWith("[") && text.endsWith("]")
                ? text.substring(1, text.length() - 1)
                : text;
    }
}
