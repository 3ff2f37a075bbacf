package registry.agent.dns;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.SimpleResolver;

/** Other servers, which are asked for names outside the domain. */
final class Recursors {
    private static final Logger log = LoggerFactory.getLogger(Recursors.class);

    /** Questions under way: a dead recursor must not use up what local names need. */
    private static final int MOST = 512;

    private final List<InetSocketAddress> addresses;
    private final Duration timeout;
    private final Semaphore underWay = new Semaphore(MOST);

    /**
     * @param addresses as {@code ip:port}
     */
    Recursors(List<String> addresses, Duration timeout) {
        this.addresses = addresses.stream().map(Recursors::address).toList();
        this.timeout = timeout;
    }

    private static InetSocketAddress address(String text) {
        int colon = text.lastIndexOf(':');
        String host = text.substring(0, colon).replace("[", "").replace("]", "");
        return new InetSocketAddress(
                InetAddress.ofLiteral(host), Integer.parseInt(text.substring(colon + 1)));
    }

    boolean any() {
        return !addresses.isEmpty();
    }

    /** The first good answer, with the ID of the question; null when none gave one. */
    @Nullable Message ask(Message query, boolean tcp) {
        if (!underWay.tryAcquire()) {
            return null;
        }
        try {
            for (InetSocketAddress address : addresses) {
                Message answer = ask(address, query, tcp);
                if (answer != null) {
                    return answer;
                }
            }
            return null;
        } finally {
            underWay.release();
        }
    }

    private @Nullable Message ask(InetSocketAddress address, Message query, boolean tcp) {
        Message forwarded = query.clone();
        // The client's ID may be known to others.
        forwarded.getHeader().setID(ThreadLocalRandom.current().nextInt(1 << 16));
        var resolver = new SimpleResolver(address);
        resolver.setTimeout(timeout);
        resolver.setTCP(tcp);
        resolver.setIgnoreTruncation(true);
        resolver.setEDNS(null);
        try {
            Message answer =
                    resolver.sendAsync(forwarded)
                            .toCompletableFuture()
                            .get(timeout.toMillis() + 100, TimeUnit.MILLISECONDS);
            int rcode = answer.getRcode();
            if (rcode == Rcode.SERVFAIL || rcode == Rcode.REFUSED) {
                log.debug("recursor refuses: address={} rcode={}", address, Rcode.string(rcode));
                return null;
            }
            answer.getHeader().setID(query.getHeader().getID());
            answer.getHeader().setFlag(Flags.RA);
            return answer;
        } catch (ExecutionException | TimeoutException e) {
            log.debug("recursor fails: address={} error={}", address, e.toString());
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }
}
