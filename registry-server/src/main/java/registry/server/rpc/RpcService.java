package registry.server.rpc;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.ApiException;
import registry.api.json.Json;
import registry.server.link.Link;
import registry.server.link.Service;
import registry.server.once.Once;

/**
 * Answers what agents and other servers ask over links. A held question has no thread; it is
 * dropped when its asker says so or its link ends.
 */
public final class RpcService implements Link.Handler {
    /** RPC's byte in the hello. */
    public static final byte SERVICE = 2;

    private static final Logger log = LoggerFactory.getLogger(RpcService.class);
    private static final int MAX_FRAME_BYTES = 32 << 20;
    private static final int MAX_QUEUE_BYTES = 48 << 20;
    private static final int MAX_CALLS = 4096;

    private final Servers local;
    private final Router router;
    private final Map<String, Method<?, ?>> methods;
    private final Semaphore calls = new Semaphore(MAX_CALLS);

    /**
     * @param local answers what must not be sent on
     * @param router answers all else
     * @param methods the writes that may be called
     */
    public RpcService(Servers local, Router router, List<Method<?, ?>> methods) {
        this.local = local;
        this.router = router;
        this.methods =
                methods.stream().collect(Collectors.toMap(Method::name, Function.identity()));
    }

    /** For the hub of the server {@code nodeId}. */
    public Service service(String nodeId) {
        return service(nodeId, this);
    }

    /**
     * For whoever only asks.
     *
     * @param moved told when a link begins or ends; must not block
     */
    public static Service asking(String nodeId, Runnable moved) {
        return service(
                nodeId,
                new Link.Handler() {
                    @Override
                    public void request(Link.Request request) {
                        request.refuse("not on this link");
                    }

                    @Override
                    public void opened(Link link) {
                        moved.run();
                    }

                    @Override
                    public void closed(Link link) {
                        moved.run();
                    }
                });
    }

    private static Service service(String nodeId, Link.Handler handler) {
        return new Service(
                SERVICE,
                nodeId,
                handler,
                MAX_FRAME_BYTES,
                MAX_QUEUE_BYTES,
                Thread.ofVirtual().name("rpc-link-", 0).factory(),
                false);
    }

    @Override
    public void request(Link.Request request) {
        if (request.body().length > Wire.MAX_REQUEST_BYTES) {
            refuse(request, new ApiException(ApiException.Kind.TOO_LARGE, "rpc: too large"));
            return;
        }
        try {
            switch (request.type()) {
                case Wire.CALL -> call(request, Wire.Call.of(request.body()));
                case Wire.ASK -> ask(request, Wire.Ask.of(request.body()));
                case Wire.DROP -> drop(request, Wire.dropped(request.body()));
                case Wire.STATUS ->
                        request.reply(
                                Wire.answer(new Remote.Status(local.leader(), local.peers())));
                default -> refuse(request, ApiException.badRequest("rpc: unknown type of request"));
            }
        } catch (Wire.Malformed e) {
            refuse(request, ApiException.badRequest("rpc: malformed request"));
        }
    }

    private static void refuse(Link.Request request, ApiException why) {
        request.reply(Wire.error(why));
    }

    private void call(Link.Request request, Wire.Call call) {
        Method<?, ?> method = methods.get(call.method());
        if (method == null) {
            refuse(request, ApiException.badRequest("rpc: can't find method " + call.method()));
        } else if (!calls.tryAcquire()) {
            refuse(
                    request,
                    new ApiException(
                            ApiException.Kind.OVERLOADED,
                            "too many writes are waiting, try again later"));
        } else {
            Thread.ofVirtual()
                    .name("rpc-call")
                    .start(() -> {
                        try {
                            // Its asker may have gone while this process was frozen.
                            if (request.link().isOpen()) {
                                request.reply(answer(method, call));
                            }
                        } finally {
                            calls.release();
                        }
                    });
        }
    }

    private <Q, A> byte[] answer(Method<Q, A> method, Wire.Call call) {
        try {
            Q wanted = Json.read(call.json(), method.request());
            A answer =
                    call.forwarded()
                            ? Once.as(call.id(), () -> local.call(method, wanted))
                            : router.sendOn(method, wanted, call.id(), hold(call.patienceMillis()));
            return Wire.answer(answer);
        } catch (ApiException e) {
            return Wire.error(e);
        } catch (RuntimeException e) {
            log.warn("a call failed: method={} error=\"{}\"", method.name(), e.toString());
            return Wire.error(new ApiException(ApiException.Kind.INTERNAL, e.toString(), e));
        }
    }

    private static int hold(int patienceMillis) {
        return Math.clamp(patienceMillis, 0, Router.HOLD_MILLIS);
    }

    private void ask(Link.Request request, Wire.Ask ask) {
        var asked = new Asked(request, Long.toString(ask.id()));
        Object old = request.link().attributes().put(asked.key, asked);
        if (old instanceof Asked same) {
            same.drop();
        }
        Servers.Held held;
        try {
            held =
                    ask.forwarded()
                            ? local.ask(ask.question(), asked)
                            : router.ask(ask.question(), asked, hold(ask.patienceMillis()));
        } catch (RuntimeException e) {
            log.warn(
                    "a question failed: method={} error=\"{}\"",
                    ask.question().method(),
                    e.toString());
            asked.failed(new ApiException(ApiException.Kind.INTERNAL, e.toString(), e));
            return;
        }
        asked.hold(held);
        if (!request.link().isOpen()) {
            asked.drop();
        }
    }

    private static void drop(Link.Request request, long id) {
        Object asked = request.link().attributes().get(Long.toString(id));
        if (asked instanceof Asked known) {
            known.drop();
        }
        request.reply(new byte[0]);
    }

    @Override
    public void closed(Link link) {
        link.attributes().values().forEach(asked -> ((Asked) asked).drop());
    }

    /** A question that came over a link. */
    private static final class Asked implements Servers.Listener {
        private final Link.Request request;
        private final String key;
        private Servers.@Nullable Held held;
        private boolean ended;

        Asked(Link.Request request, String key) {
            this.request = request;
            this.key = key;
        }

        @Override
        public void answered(Reply reply) {
            end();
            request.reply(Wire.reply(reply));
        }

        @Override
        public void failed(ApiException error) {
            end();
            request.reply(Wire.error(error));
        }

        private synchronized void end() {
            ended = true;
            request.link().attributes().remove(key, this);
        }

        void hold(Servers.Held question) {
            synchronized (this) {
                if (!ended) {
                    held = question;
                    return;
                }
            }
            question.drop();
        }

        void drop() {
            Servers.Held dropped;
            synchronized (this) {
                dropped = held;
            }
            end();
            if (dropped != null) {
                dropped.drop();
            }
            request.refuse("dropped");
        }
    }
}
