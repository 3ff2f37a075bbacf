package registry.server.rpc;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.json.Json;
import registry.server.link.Link;
import registry.server.once.RequestId;

/** Another server, asked over a link. */
public final class Remote implements Target {
    /** Beyond what a write or a question may take by itself. */
    private static final long GRACE_MILLIS = 10_000;

    private static final long WRITE_MILLIS = 30_000;

    /** How long a write may wait for room in the link's queue. */
    private static final long ROOM_MILLIS = 1_000;

    private static final int STATUS_MILLIS = 1_000;
    private static final AtomicLong IDS = new AtomicLong();

    private final String address;
    private final Supplier<@Nullable Link> link;
    private final boolean forwards;

    /** Writes under way that may be sent elsewhere. */
    private final Set<CompletableFuture<byte[]>> numbered = ConcurrentHashMap.newKeySet();

    /**
     * @param address for messages
     * @param link the live link; null while there is none
     * @param forwards true between servers: what is sent must be answered there
     */
    public Remote(String address, Supplier<@Nullable Link> link, boolean forwards) {
        this.address = address;
        this.link = link;
        this.forwards = forwards;
    }

    public boolean isLinked() {
        return link.get() != null;
    }

    @Override
    public <Q, A> A call(
            Method<Q, A> method, Q request, @Nullable RequestId id, int patienceMillis) {
        Link open = link.get();
        if (open == null) {
            throw ApiException.noLeader();
        }
        byte[] body =
                new Wire.Call(forwards, patienceMillis, method.name(), id, Json.write(request))
                        .bytes();
        long limit = WRITE_MILLIS + patienceMillis + GRACE_MILLIS;
        CompletableFuture<byte[]> sent = open.call(Wire.CALL, body, limit, ROOM_MILLIS);
        if (id != null) {
            numbered.add(sent);
        }
        try {
            byte[] answer = sent.get(limit + GRACE_MILLIS, TimeUnit.MILLISECONDS);
            return Wire.answer(answer, method.answer());
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw cause instanceof Link.Refused refused ? refusal(refused) : unknown(cause);
        } catch (TimeoutException | Wire.Malformed e) {
            throw unknown(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unknown(e);
        } finally {
            numbered.remove(sent);
        }
    }

    @Override
    public void abandon() {
        for (CompletableFuture<byte[]> sent : numbered) {
            sent.completeExceptionally(new IOException("no answer in time"));
        }
    }

    private ApiException unknown(Throwable cause) {
        return new ApiException(
                ApiException.Kind.UNKNOWN,
                "rpc error making call: it is not known whether the write was applied: server "
                        + address
                        + ": "
                        + cause.getMessage(),
                cause);
    }

    /** Both ends refuse before anything is done, but for an answer that is too large. */
    private ApiException refusal(Link.Refused refused) {
        String text = String.valueOf(refused.getMessage());
        return text.equals("busy") || text.startsWith("no room")
                ? new ApiException(
                        ApiException.Kind.OVERLOADED,
                        "server " + address + " is busy, try again later")
                : new ApiException(
                        ApiException.Kind.INTERNAL, "rpc error making call: " + text, refused);
    }

    @Override
    public Servers.Held ask(Question question, Outcome outcome, int patienceMillis) {
        Link open = link.get();
        if (open == null) {
            outcome.failed(ApiException.noLeader(), true);
            return () -> {};
        }
        long id = IDS.incrementAndGet();
        long hold = question.minIndex() == 0 ? 0 : Math.max(0, question.maxWait().toMillis());
        byte[] body = new Wire.Ask(forwards, patienceMillis, id, question).bytes();
        CompletableFuture<byte[]> answer =
                open.call(Wire.ASK, body, hold + hold / 16 + patienceMillis + GRACE_MILLIS, 0);
        answer.whenComplete((bytes, error) -> tell(outcome, bytes, error));
        return () -> {
            if (!answer.isDone()) {
                open.call(Wire.DROP, Wire.drop(id), GRACE_MILLIS, 0);
            }
        };
    }

    private void tell(Outcome outcome, byte @Nullable [] bytes, @Nullable Throwable error) {
        if (bytes == null) {
            switch (error) {
                case Link.Refused refused -> outcome.failed(refusal(refused), false);
                case TimeoutException late ->
                        outcome.failed(
                                new ApiException(
                                        ApiException.Kind.TIMEOUT,
                                        "rpc error making call: " + late.getMessage(),
                                        late),
                                false);
                case null, default -> outcome.failed(ApiException.noLeader(), true);
            }
            return;
        }
        Reply reply;
        try {
            reply = Wire.reply(bytes);
        } catch (ApiException e) {
            outcome.failed(e, e.kind() == ApiException.Kind.NO_LEADER);
            return;
        } catch (Wire.Malformed e) {
            outcome.failed(
                    new ApiException(
                            ApiException.Kind.INTERNAL,
                            "server " + address + " does not speak as expected",
                            e),
                    false);
            return;
        }
        outcome.answered(reply);
    }

    /**
     * Who leads and who votes, as this server sees it.
     *
     * @param status hears the leader's address (or "") and the voters'
     * @param silent told when no answer came in time
     */
    public void status(Consumer<Status> status, Runnable silent) {
        Link open = link.get();
        if (open == null) {
            return;
        }
        open.call(Wire.STATUS, new byte[0], STATUS_MILLIS, 0)
                .whenComplete((bytes, error) -> {
                    if (bytes != null) {
                        hear(bytes, status);
                    } else if (error instanceof TimeoutException) {
                        silent.run();
                    }
                });
    }

    private static void hear(byte[] bytes, Consumer<Status> status) {
        Status heard;
        try {
            heard = Wire.answer(bytes, Status.class);
        } catch (Wire.Malformed | ApiException e) {
            // It will say so again when it is asked for something that matters.
            return;
        }
        status.accept(heard);
    }

    /** The leader's RPC address, empty while there is none, and the voters'. */
    public record Status(String leader, List<String> peers) {}
}
