package registry.agent.http;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import registry.api.ApiException;
import registry.api.KvWrite;
import registry.api.json.Json;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.rpc.Servers;

/**
 * Servers with one index for all they know: every write moves it and wakes all that is held. Keys
 * are stored as in a map.
 */
final class FakeServers implements Servers, AutoCloseable {
    final AtomicLong index = new AtomicLong(7);
    final Set<Waiter> held = ConcurrentHashMap.newKeySet();
    final List<Question> asked = new CopyOnWriteArrayList<>();
    final List<Object> called = new CopyOnWriteArrayList<>();
    final ConcurrentSkipListMap<String, byte[]> values = new ConcurrentSkipListMap<>();
    volatile byte[] body = "[]".getBytes(StandardCharsets.UTF_8);
    volatile ApiException failure;
    volatile boolean recording = true;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

    final class Waiter implements Held {
        private final Question question;
        private final Listener listener;
        private final AtomicBoolean over = new AtomicBoolean();

        Waiter(Question question, Listener listener) {
            this.question = question;
            this.listener = listener;
        }

        void wake() {
            held.remove(this);
            if (over.compareAndSet(false, true)) {
                listener.answered(reply(question));
            }
        }

        @Override
        public void drop() {
            held.remove(this);
            over.set(true);
        }
    }

    @Override
    public <Q, A> A call(Method<Q, A> method, Q request) {
        if (recording) {
            called.add(request);
        }
        if (failure != null) {
            throw failure;
        }
        if (request instanceof KvWrite write && write.verb() == KvWrite.Verb.SET) {
            values.put(write.key(), write.value() == null ? new byte[0] : write.value());
        }
        change();
        return method.answer().cast(true);
    }

    /** Moves the index and answers all that is held. */
    void change() {
        long now = index.incrementAndGet();
        for (Waiter waiter : new ArrayList<>(held)) {
            if (waiter.question.minIndex() < now) {
                waiter.wake();
            }
        }
    }

    @Override
    public Held ask(Question question, Listener listener) {
        if (recording) {
            asked.add(question);
        }
        if (failure != null) {
            listener.failed(failure);
            return () -> {};
        }
        if (question.minIndex() == 0 || question.minIndex() < index.get()) {
            listener.answered(reply(question));
            return () -> {};
        }
        var waiter = new Waiter(question, listener);
        held.add(waiter);
        if (question.minIndex() < index.get()) {
            waiter.wake();
        }
        if (question.maxWait().compareTo(java.time.Duration.ofMinutes(1)) < 0) {
            timer.schedule(waiter::wake, question.maxWait().toNanos(), TimeUnit.NANOSECONDS);
        }
        return waiter;
    }

    private Reply reply(Question question) {
        if (!question.method().equals(Question.KV_GET)) {
            byte[] json = question.has("pretty") ? Json.writePretty(Json.tree(body)) : body;
            return new Reply(true, index.get(), true, 0, json);
        }
        byte[] value = values.get(question.name());
        return value == null
                ? new Reply(false, index.get(), true, 0, new byte[0])
                : new Reply(
                        true,
                        index.get(),
                        true,
                        0,
                        question.has("raw") ? value : Json.write(value));
    }

    @Override
    public String leader() {
        return "127.0.0.1:8300";
    }

    @Override
    public List<String> peers() {
        return List.of("127.0.0.1:8300");
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
