package registry.server.link;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;

/**
 * The first words of both ends. Layout: magic (4), version (1), service (1), then cluster, sender
 * and receiver, each as length (1) and UTF-8.
 *
 * @param service what is spoken afterwards
 * @param cluster id of the sender's cluster; empty while it has none
 * @param from id of the sender, of the kind that the service uses
 * @param to id of whom the sender means to reach; empty if anybody will do
 */
record Hello(byte service, String cluster, String from, String to) {
    private static final int MAGIC = 0x52475354;
    private static final int VERSION = 1;
    private static final int MAX_TEXT = 255;

    Hello {
        if (utf8(cluster).length > MAX_TEXT
                || utf8(from).length > MAX_TEXT
                || utf8(to).length > MAX_TEXT) {
            throw new IllegalArgumentException("an id is longer than " + MAX_TEXT + " bytes");
        }
    }

    void write(DataOutputStream out) throws IOException {
        out.writeInt(MAGIC);
        out.writeByte(VERSION);
        out.writeByte(service);
        for (String text : new String[] {cluster, from, to}) {
            byte[] bytes = utf8(text);
            out.writeByte(bytes.length);
            out.write(bytes);
        }
        out.flush();
    }

    /**
     * Reads what the other end says.
     *
     * @throws ProtocolException when it is not one of us, or of a version that we don't speak
     */
    static Hello read(DataInputStream in) throws IOException {
        if (in.readInt() != MAGIC) {
            throw new ProtocolException("not a hello");
        }
        int version = in.readUnsignedByte();
        if (version != VERSION) {
            throw new ProtocolException("hello of version " + version + ", we speak " + VERSION);
        }
        return new Hello(in.readByte(), text(in), text(in), text(in));
    }

    private static String text(DataInputStream in) throws IOException {
        byte[] bytes = new byte[in.readUnsignedByte()];
        in.readFully(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
