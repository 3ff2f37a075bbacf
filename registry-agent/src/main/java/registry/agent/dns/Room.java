package registry.agent.dns;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.ClientSubnetOption;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Header;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;
import registry.agent.config.AgentConfig;

/**
 * How large an answer may be, and answers cut to that.
 *
 * @param bytes of the whole message
 * @param answers records of the answer section
 * @param ours whether {@code bytes} is less than the client could take: then an answer that is cut
 *     says so, and the client comes again over TCP
 */
record Room(int bytes, int answers, boolean ours) {
    private static final int MAX_TCP = 65_535;
    private static final int TCP_ANSWERS = 4096;
    private static final int TCP_SRV = 1024;
    private static final int UDP = 512;
    private static final int UDP_ANSWERS = 8;

    /** What passes the usual paths in one packet. */
    private static final int EDNS = 1232;

    /** An answer is at most so many times its question: who forges senders gains little. */
    private static final int AMPLIFICATION = 10;

    private static final int HEADER = 12;
    private static final int ADDRESS = 16;
    private static final int SERVER = 20;

    static Room tcp(int type) {
        return new Room(MAX_TCP, type == Type.SRV ? TCP_SRV : TCP_ANSWERS, false);
    }

    /**
     * @param question its length as it came
     */
    static Room udp(Message query, int question, AgentConfig.Dns config) {
        OPTRecord opt = query.getOPT();
        int takes = opt == null ? UDP : Math.max(UDP, opt.getPayloadSize());
        int most = Math.min(Math.min(takes, EDNS), Math.max(question, HEADER) * AMPLIFICATION);
        int answers = opt == null ? Math.min(config.udpAnswerLimit(), UDP_ANSWERS) : TCP_ANSWERS;
        return new Room(most, answers, most < takes);
    }

    /** More answers than this of a type can't fit. */
    int fitting(int type) {
        return Math.max(1, (bytes - HEADER) / (type == Type.SRV ? SERVER : ADDRESS));
    }

    /** The answer in bytes; answers are dropped from the end until it fits. */
    byte[] encode(Message query, Draft draft, AgentConfig.Dns config) {
        int keep = draft.groups.size();
        boolean cut = draft.overfull;
        while (true) {
            boolean truncated =
                    cut ? ours || config.enableTruncate() : draft.more && config.enableTruncate();
            byte[] wire = wire(message(query, draft, keep, truncated), config);
            if (wire.length <= bytes) {
                return wire;
            }
            if (keep == 0) {
                return wire(message(query, bare(draft), 0, true), config);
            }
            keep = Math.min(keep - 1, keep * bytes / wire.length);
            cut = true;
        }
    }

    private static Draft bare(Draft draft) {
        var bare = new Draft();
        bare.rcode = draft.rcode;
        bare.authoritative = draft.authoritative;
        bare.recursion = draft.recursion;
        return bare;
    }

    private static Message message(Message query, Draft draft, int keep, boolean truncated) {
        Header asked = query.getHeader();
        var message = new Message(asked.getID());
        Header header = message.getHeader();
        header.setOpcode(Opcode.QUERY);
        header.setFlag(Flags.QR);
        draft.flags().forEach(header::setFlag);
        if (asked.getFlag(Flags.RD)) {
            header.setFlag(Flags.RD);
        }
        if (truncated) {
            header.setFlag(Flags.TC);
        }
        header.setRcode(draft.rcode);
        Record question = query.getQuestion();
        if (question != null) {
            message.addRecord(question, Section.QUESTION);
        }
        List<Draft.Group> groups = draft.groups.subList(0, keep);
        groups.forEach(group -> message.addRecord(group.answer(), Section.ANSWER));
        draft.authority.forEach(record -> message.addRecord(record, Section.AUTHORITY));
        distinct(groups).forEach(record -> message.addRecord(record, Section.ADDITIONAL));
        draft.additional.forEach(record -> message.addRecord(record, Section.ADDITIONAL));
        OPTRecord opt = query.getOPT();
        if (opt != null) {
            message.addRecord(echo(opt), Section.ADDITIONAL);
        }
        return message;
    }

    /** The extras of all groups, each once; only records of one name are compared. */
    private static List<Record> distinct(List<Draft.Group> groups) {
        var distinct = new ArrayList<Record>();
        var byName = new HashMap<Name, List<Record>>();
        for (Draft.Group group : groups) {
            for (Record record : group.extras()) {
                List<Record> same =
                        byName.computeIfAbsent(record.getName(), name -> new ArrayList<>(1));
                if (!same.contains(record)) {
                    same.add(record);
                    distinct.add(record);
                }
            }
        }
        return distinct;
    }

    private static OPTRecord echo(OPTRecord asked) {
        ClientSubnetOption subnet = subnet(asked);
        return subnet == null
                ? new OPTRecord(asked.getPayloadSize(), 0, 0)
                : new OPTRecord(
                        asked.getPayloadSize(),
                        0,
                        0,
                        0,
                        List.of(
                                new ClientSubnetOption(
                                        subnet.getSourcePrefixLength(), 0, subnet.getAddress())));
    }

    private static @Nullable ClientSubnetOption subnet(OPTRecord asked) {
        for (EDNSOption option : asked.getOptions()) {
            if (option instanceof ClientSubnetOption subnet) {
                return subnet;
            }
        }
        return null;
    }

    private static byte[] wire(Message message, AgentConfig.Dns config) {
        return config.disableCompression() ? uncompressed(message) : message.toWire();
    }

    private static byte[] uncompressed(Message message) {
        var out = new ByteArrayOutputStream();
        out.writeBytes(message.getHeader().toWire());
        for (int section = Section.QUESTION; section <= Section.ADDITIONAL; section++) {
            for (Record record : message.getSection(section)) {
                out.writeBytes(record.toWire(section));
            }
        }
        return out.toByteArray();
    }
}
