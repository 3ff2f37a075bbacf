package registry.agent.dns;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.SRVRecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;
import registry.agent.config.AgentConfig;
import registry.agent.config.AgentConfig.Dns;
import registry.api.ApiException;
import registry.api.Node;
import registry.server.rpc.Servers;

/** Answers questions, whatever they came through. Source: consul-api 10.2 to 10.8. */
final class Responder {
    private static final Logger log = LoggerFactory.getLogger(Responder.class);
    private static final int PRIORITY = 1;
    private static final int MAX_NAME_SERVERS = 3;
    private static final int MAX_CNAMES = 3;
    private static final String SERVERS = "consul";

    private final Dns config;
    private final String datacenter;
    private final String nodeName;
    private final CatalogReads reads;
    private final Recursors recursors;
    private final List<Zone> zones;

    /** One of the domains. */
    private record Zone(Name domain, String text) {
        static Zone of(String domain) {
            return new Zone(Names.ofValid(domain), domain);
        }
    }

    Responder(AgentConfig config, Servers servers) {
        this.config = config.dns();
        this.datacenter = config.datacenter();
        this.nodeName = config.nodeName();
        this.reads = new CatalogReads(servers, this.config, this::serviceTtl);
        this.recursors = new Recursors(this.config.recursors(), this.config.recursorTimeout());
        this.zones =
                new LinkedHashSet<>(List.of(this.config.domain(), this.config.altDomain()))
                        .stream().filter(domain -> !domain.isEmpty()).map(Zone::of).toList();
    }

    /**
     * The answer to a message; null for what deserves none.
     *
     * @param tcp false for UDP
     * @throws Patience.NotAtOnce when it would take longer than there is patience
     */
    byte @Nullable [] answer(byte[] packet, boolean tcp, Asker asker) {
        Message query;
        try {
            query = new Message(packet);
        } catch (IOException | RuntimeException e) {
            return null;
        }
        Record question = query.getQuestion();
        if (query.getHeader().getFlag(Flags.QR) || question == null) {
            return null;
        }
        Room room = tcp ? Room.tcp(question.getType()) : Room.udp(query, packet.length, config);
        if (query.getHeader().getOpcode() != Opcode.QUERY
                || query.getHeader().getCount(Section.QUESTION) != 1) {
            return room.encode(query, failed(Rcode.NOTIMP), config);
        }
        try {
            Zone zone = zoneOf(question.getName());
            if (zone == null) {
                return outside(query, question, tcp, room, asker);
            }
            return room.encode(query, inside(zone, question, room, asker), config);
        } catch (ApiException e) {
            log.debug("dns: no answer: name={} error={}", question.getName(), e.text());
            return room.encode(query, failed(Rcode.SERVFAIL), config);
        }
    }

    /** What is said when answering broke. */
    byte @Nullable [] broken(byte[] packet) {
        try {
            var query = new Message(packet);
            return Room.udp(query, packet.length, config)
                    .encode(query, failed(Rcode.SERVFAIL), config);
        } catch (IOException | RuntimeException e) {
            return null;
        }
    }

    private @Nullable Zone zoneOf(Name name) {
        for (Zone zone : zones) {
            if (name.subdomain(zone.domain)) {
                return zone;
            }
        }
        return null;
    }

    private Draft draft() {
        var draft = new Draft();
        draft.recursion = recursors.any();
        return draft;
    }

    private Draft failed(int rcode) {
        Draft draft = draft();
        draft.rcode = rcode;
        draft.authoritative = false;
        return draft;
    }

    private Draft missing(Zone zone) {
        Draft draft = draft();
        draft.rcode = Rcode.NXDOMAIN;
        draft.authority.add(soa(zone));
        return draft;
    }

    // Names outside the domain

    private byte[] outside(Message query, Record question, boolean tcp, Room room, Asker asker) {
        byte[] address = Names.reverse(Names.labels(question.getName()));
        if (address != null) {
            Draft draft = reverse(question.getName(), address, asker);
            if (draft != null) {
                return room.encode(query, draft, config);
            }
        }
        if (recursors.any()) {
            asker.patience().demand();
            Message answer = recursors.ask(query, tcp);
            if (answer != null) {
                return answer.toWire(room.bytes());
            }
        }
        boolean refused = !recursors.any() && address == null;
        Draft draft = failed(refused ? Rcode.REFUSED : Rcode.SERVFAIL);
        draft.recursion = !refused;
        return room.encode(query, draft, config);
    }

    private @Nullable Draft reverse(Name name, byte[] address, Asker asker) {
        String node = reads.nodeAt(address, asker.patience());
        String zone = zoneText(zones.getFirst());
        Name target = node == null ? null : Names.of(node, "node", zone);
        if (target == null) {
            String service = reads.serviceAt(address, asker.patience());
            target = service == null ? null : Names.of(service, "service", zone);
        }
        if (target == null) {
            return null;
        }
        Draft draft = draft();
        draft.add(new PTRRecord(name, DClass.IN, 0, target));
        return draft;
    }

    // Names of the domain

    private Draft inside(Zone zone, Record question, Room room, Asker asker) {
        switch (question.getType()) {
            case Type.SOA -> {
                Draft draft = draft();
                draft.add(soa(zone));
                nameServers(zone, asker)
                        .forEach(server -> {
                            draft.authority.add(server.answer());
                            draft.additional.addAll(server.extras());
                        });
                return draft;
            }
            case Type.NS -> {
                Draft draft = draft();
                draft.groups.addAll(nameServers(zone, asker));
                return draft;
            }
            case Type.AXFR, Type.IXFR -> {
                return failed(Rcode.NOTIMP);
            }
            default -> {
                return named(zone, question.getName(), question.getType(), room, asker, 0);
            }
        }
    }

    private Draft named(Zone zone, Name name, int type, Room room, Asker asker, int depth) {
        List<String> labels = Names.labels(name);
        List<String> before = labels.subList(0, labels.size() - zone.domain.labels() + 1);
        return switch (Asked.of(before, type, datacenter)) {
            case Asked.OfNode(String node) -> node(zone, name, type, node, asker, depth);
            case Asked.OfService(String service, String tag) ->
                    service(zone, name, type, service, tag, room, asker, depth);
            case Asked.OfQuery(String query) ->
                    prepared(zone, name, type, query, room, asker, depth);
            case Asked.OfAddress(String digits) -> {
                byte[] ip = Names.unhex(digits);
                if (ip == null) {
                    yield missing(zone);
                }
                Draft draft = draft();
                draft.add(Target.address(name, nodeTtl(), ip));
                yield draft;
            }
            case Asked.Nothing() -> missing(zone);
        };
    }

    private Draft node(Zone zone, Name name, int type, String asked, Asker asker, int depth) {
        Node node = reads.node(asked, asker.patience());
        if (node == null) {
            return missing(zone);
        }
        Draft draft = draft();
        if (type == Type.SRV) {
            return draft;
        }
        Target target = Target.of(node.address());
        if (target != null && type != Type.TXT) {
            Record record = target.record(name, type, nodeTtl());
            if (record != null) {
                draft.add(record);
                follow(target, type, asker, depth).forEach(draft::add);
            }
        }
        boolean asAnswer = type == Type.TXT || type == Type.ANY;
        if (asAnswer || config.nodeMetaTxt()) {
            for (Record text : Target.texts(name, nodeTtl(), node.meta())) {
                if (asAnswer) {
                    draft.add(text);
                } else {
                    draft.additional.add(text);
                }
            }
        }
        return draft;
    }

    private Draft service(
            Zone zone,
            Name name,
            int type,
            String service,
            String tag,
            Room room,
            Asker asker,
            int depth) {
        List<Instance> all = reads.instances(service, zoneText(zone), asker.patience());
        Instance[] chosen = choose(all, tag);
        return instances(zone, name, type, chosen, true, serviceTtl(service), room, asker, depth);
    }

    /** What a prepared query finds, in its own order. */
    private Draft prepared(
            Zone zone, Name name, int type, String query, Room room, Asker asker, int depth) {
        CatalogReads.Found found = reads.run(query, nodeName, asker, zoneText(zone));
        Instance[] all = found.instances().toArray(Instance[]::new);
        return instances(zone, name, type, all, false, found.ttl(), room, asker, depth);
    }

    private Draft instances(
            Zone zone,
            Name name,
            int type,
            Instance[] chosen,
            boolean anyOrder,
            long ttl,
            Room room,
            Asker asker,
            int depth) {
        if (chosen.length == 0) {
            return missing(zone);
        }
        Draft draft = draft();
        int counted =
                type != Type.SRV && config.addressLimit() > 0
                        ? Math.min(room.answers(), config.addressLimit())
                        : room.answers();
        int most = Math.min(counted, room.fitting(type));
        // Not of records: their hash is that of their bytes, made anew each time.
        var seen = new HashSet<Object>();
        var random = ThreadLocalRandom.current();
        for (int i = 0; i < chosen.length; i++) {
            // The next of a random order, where there is none: only as many are drawn as are
            // needed.
            int drawn = anyOrder ? i + random.nextInt(chosen.length - i) : i;
            Instance instance = chosen[drawn];
            chosen[drawn] = chosen[i];
            Record record =
                    type == Type.SRV
                            ? server(name, ttl, instance)
                            : instance.target().record(name, wanted(type), ttl);
            if (record == null || !seen.add(essence(type, instance))) {
                continue;
            }
            if (draft.groups.size() == most) {
                draft.more = most == counted;
                draft.overfull = !draft.more;
                break;
            }
            if (type == Type.SRV) {
                draft.add(record, extras(instance, asker, depth));
            } else {
                draft.add(record);
                follow(instance.target(), type, asker, depth).forEach(draft::add);
            }
        }
        if (draft.groups.isEmpty()) {
            draft.authority.add(soa(zone));
        }
        return draft;
    }

    /** Equal for instances whose answer records are equal. */
    private static Object essence(int type, Instance instance) {
        if (type == Type.SRV) {
            return new Server(instance.targetName(), instance.port(), instance.weight());
        }
        Target target = instance.target();
        if (target.ip() != null) {
            return ByteBuffer.wrap(target.ip());
        }
        return target.host() == null ? instance : target.host();
    }

    private record Server(Name target, int port, int weight) {}

    private Instance[] choose(List<Instance> all, String tag) {
        if (tag.isEmpty() && !config.onlyPassing()) {
            return all.toArray(Instance[]::new);
        }
        return all.stream()
                .filter(each -> tag.isEmpty() || each.tags().contains(tag))
                .filter(each -> each.passing() || !config.onlyPassing())
                .toArray(Instance[]::new);
    }

    /**
     * Addresses answer all questions about a service but SRV; the family counts where it is named.
     */
    private static int wanted(int type) {
        return type == Type.A || type == Type.AAAA ? type : Type.ANY;
    }

    private static Record server(Name name, long ttl, Instance instance) {
        return new SRVRecord(
                name,
                DClass.IN,
                ttl,
                PRIORITY,
                instance.weight(),
                instance.port(),
                instance.targetName());
    }

    private List<Record> extras(Instance instance, Asker asker, int depth) {
        return instance.target().ip() != null
                ? instance.extras()
                : follow(instance.target(), Type.ANY, asker, depth);
    }

    /** What is known of a host name: of our own, or by the recursors. */
    private List<Record> follow(Target target, int type, Asker asker, int depth) {
        Name host = target.host();
        if (host == null || depth >= MAX_CNAMES) {
            return List.of();
        }
        int asked = type == Type.AAAA ? Type.AAAA : Type.A;
        Zone zone = zoneOf(host);
        if (zone != null) {
            return named(zone, host, asked, Room.tcp(asked), asker, depth + 1).groups.stream()
                    .map(Draft.Group::answer)
                    .toList();
        }
        if (!recursors.any()) {
            return List.of();
        }
        asker.patience().demand();
        Message query = Message.newQuery(Record.newRecord(host, asked, DClass.IN));
        Message answer = recursors.ask(query, false);
        return answer == null ? List.of() : answer.getSection(Section.ANSWER);
    }

    // The domain itself

    private SOARecord soa(Zone zone) {
        AgentConfig.Soa soa = config.soa();
        return new SOARecord(
                zone.domain,
                DClass.IN,
                soa.minTtl(),
                Names.ofValid("ns", zone.text),
                Names.ofValid("hostmaster", zone.text),
                System.currentTimeMillis() / 1000,
                soa.refresh(),
                soa.retry(),
                soa.expire(),
                soa.minTtl());
    }

    private List<Draft.Group> nameServers(Zone zone, Asker asker) {
        return Arrays.stream(choose(reads.instances(SERVERS, zoneText(zone), asker.patience()), ""))
                .filter(server -> server.target().ip() != null)
                .limit(MAX_NAME_SERVERS)
                .map(server ->
                        new Draft.Group(
                                new NSRecord(
                                        zone.domain, DClass.IN, nodeTtl(), server.targetName()),
                                server.extras().stream()
                                        .filter(extra -> extra.getType() != Type.TXT)
                                        .toList()))
                .toList();
    }

    private String zoneText(Zone zone) {
        return datacenter + "." + zone.text;
    }

    private long nodeTtl() {
        return config.nodeTtl().toSeconds();
    }

    /** Of the exact name, else of the longest prefix that is set. */
    private long serviceTtl(String service) {
        String name = service.toLowerCase(Locale.ROOT);
        Duration exact = config.serviceTtl().get(name);
        if (exact != null) {
            return exact.toSeconds();
        }
        return config.serviceTtl().entrySet().stream()
                .filter(entry -> entry.getKey().endsWith("*"))
                .filter(entry ->
                        name.startsWith(entry.getKey().substring(0, entry.getKey().length() - 1)))
                .max(Comparator.comparingInt(entry -> entry.getKey().length()))
                .map(Map.Entry::getValue)
                .orElse(Duration.ZERO)
                .toSeconds();
    }
}
