package registry.agent.local;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import registry.agent.config.ServiceDefinition;
import registry.api.ApiException;
import registry.api.ServiceAddress;

/** Rules for addresses of services. Source: consul-api 3.3 */
final class Addresses {
    private static final Pattern OCTET = Pattern.compile("25[0-5]|2[0-4]\\d|1?\\d?\\d");

    private Addresses() {}

    static boolean isIpv4(String text) {
        String[] parts = text.split("\\.", -1);
        if (parts.length != 4) {
            return false;
        }
        for (String part : parts) {
            if (!OCTET.matcher(part).matches()) {
                return false;
            }
        }
        return true;
    }

    /** Literals only: no zone, no brackets, nothing that would ask a resolver. */
    static boolean isIpv6(String text) {
        if (text.indexOf(':') < 0
                || !text.chars()
                        .allMatch(c -> c == ':' || c == '.' || Character.digit(c, 16) >= 0)) {
            return false;
        }
        try {
            return InetAddress.getByName(text) != null;
        } catch (UnknownHostException e) {
            return false;
        }
    }

    /**
     * The definition's tagged addresses, and those that an IP as its address stands for where they
     * are absent.
     */
    static SortedMap<String, ServiceAddress> tagged(ServiceDefinition service) {
        SortedMap<String, ServiceAddress> all = new TreeMap<>(service.taggedAddresses());
        String family =
                isIpv4(service.address()) ? "_ipv4" : isIpv6(service.address()) ? "_ipv6" : "";
        if (!family.isEmpty()) {
            var own = new ServiceAddress(service.address(), service.port());
            all.putIfAbsent("lan" + family, own);
            all.putIfAbsent("wan" + family, own);
        }
        return all;
    }

    /**
     * @throws ApiException REFUSED when a tag promises a family that its address is not of
     */
    static void validate(ServiceDefinition service) {
        service.taggedAddresses().forEach((tag, address) -> validate(tag, address.address()));
    }

    private static void validate(String tag, String address) {
        String family =
                tag.equals("lan_ipv4") || tag.equals("wan_ipv4")
                        ? "ipv4"
                        : tag.equals("lan_ipv6") || tag.equals("wan_ipv6") ? "ipv6" : "";
        boolean wrong =
                family.equals("ipv4") && !isIpv4(address)
                        || family.equals("ipv6") && !isIpv6(address);
        if (wrong) {
            throw ApiException.refused(
                    "Service tagged address \""
                            + tag
                            + "\" must be a valid "
                            + family
                            + " address");
        }
    }
}
