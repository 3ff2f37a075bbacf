package registry.agent.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import registry.agent.config.AgentConfig.Dns;
import registry.agent.config.AgentConfig.Soa;
import registry.api.json.GoDuration;

/** Binds what concerns DNS: {@code dns_config}, the domains, the recursors. */
final class DnsBinder {
    private static final Pattern DOMAIN =
            Pattern.compile("[a-z0-9_-]{1,63}(\\.[a-z0-9_-]{1,63}){0,7}");
    private static final int DNS_PORT = 53;
    private static final int MAX_PORT = 65_535;

    private final Settings settings;
    private final Settings dns;

    DnsBinder(Settings settings) {
        this.settings = settings;
        this.dns = settings.section("dns_config");
    }

    Dns bind() throws ConfigException {
        Settings soa = dns.section("soa");
        String domain = domain("domain", "consul");
        if (domain.isEmpty()) {
            throw new ConfigException("domain cannot be empty");
        }
        return new Dns(
                domain,
                domain("alt_domain", ""),
                recursors(),
                positive("recursor_timeout", Duration.ofSeconds(2)),
                dns.flag("allow_stale", true),
                positive("max_stale", Duration.ofHours(87_600)),
                ttl("dns_config.node_ttl", dns.duration("node_ttl", Duration.ZERO)),
                serviceTtl(),
                dns.flag("only_passing", false),
                dns.flag("enable_truncate", false),
                dns.flag("disable_compression", false),
                dns.flag("enable_additional_node_meta_txt", true),
                count(dns, "udp_answer_limit", 3),
                count(dns, "a_record_limit", 0),
                new Soa(
                        count(soa, "refresh", 3600),
                        count(soa, "retry", 600),
                        count(soa, "expire", 86_400),
                        count(soa, "min_ttl", 0)));
    }

    private String domain(String key, String absent) throws ConfigException {
        String text = settings.text(key, absent).toLowerCase(Locale.ROOT);
        String domain = text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
        if (!domain.isEmpty() && !DOMAIN.matcher(domain).matches()) {
            throw new ConfigException("%s: \"%s\" is not a domain".formatted(key, text));
        }
        return domain;
    }

    private List<String> recursors() throws ConfigException {
        var texts = new ArrayList<>(settings.texts("recursors"));
        String single = settings.text("recursor");
        if (!single.isEmpty()) {
            texts.addFirst(single);
        }
        var all = new ArrayList<String>();
        for (String text : texts) {
            all.add(recursor(text));
        }
        return List.copyOf(all);
    }

    private static String recursor(String text) throws ConfigException {
        if (IpText.isV4(text)) {
            return text + ":" + DNS_PORT;
        }
        if (IpText.isV6(text)) {
            return "[" + text + "]:" + DNS_PORT;
        }
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? text : text.substring(0, colon);
        String bare =
                host.startsWith("[") && host.endsWith("]")
                        ? host.substring(1, host.length() - 1)
                        : host;
        if (!IpText.isIp(bare) || !isPort(text.substring(colon + 1))) {
            throw new ConfigException(
                    "recursors: \"%s\" is not an IP address, alone or with a port".formatted(text));
        }
        return text;
    }

    private static boolean isPort(String text) {
        return text.matches("[0-9]{1,5}")
                && Integer.parseInt(text) > 0
                && Integer.parseInt(text) <= MAX_PORT;
    }

    private SortedMap<String, Duration> serviceTtl() throws ConfigException {
        var all = new TreeMap<String, Duration>();
        for (Map.Entry<String, String> entry : dns.textMap("service_ttl").entrySet()) {
            String key = "dns_config.service_ttl." + entry.getKey();
            Duration duration;
            try {
                duration = GoDuration.parse(entry.getValue());
            } catch (IllegalArgumentException e) {
                throw new ConfigException(
                        "%s: \"%s\" is no duration such as \"10s\""
                                .formatted(key, entry.getValue()));
            }
            all.put(entry.getKey().toLowerCase(Locale.ROOT), ttl(key, duration));
        }
        return all;
    }

    private static Duration ttl(String key, Duration value) throws ConfigException {
        if (value.isNegative() || value.toSeconds() > Integer.MAX_VALUE) {
            throw new ConfigException(
                    "%s: %s, expected between 0s and %ds"
                            .formatted(key, GoDuration.format(value), Integer.MAX_VALUE));
        }
        return value;
    }

    private Duration positive(String key, Duration absent) {
        Duration value = dns.duration(key, absent);
        return value.isPositive() ? value : absent;
    }

    private static int count(Settings section, String key, int absent) throws ConfigException {
        int value = section.whole(key, absent);
        if (value < 0) {
            throw new ConfigException(
                    "dns_config: %s: %d, expected at least 0".formatted(key, value));
        }
        return value;
    }
}
