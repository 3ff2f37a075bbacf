package registry.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** A snapshot of 50,000 instances and 100,000 checks: saved while somebody writes, and restored. */
final class SnapshotRows {
    private static final int INSTANCES = 50_000;
    private static final int SEED_CLIENTS = 64;

    private final House house;
    private final Rounds rounds;
    private final Report report;

    SnapshotRows(House house, Rounds rounds, Report report) {
        this.house = house;
        this.rounds = rounds;
        this.report = report;
    }

    void measure() {
        try (Subject agent = house.agent();
                var http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            try (var clients = new Clients(agent.port(), SEED_CLIENTS)) {
                clients.run(SnapshotRows::registration, INSTANCES);
            }
            int count = rounds.count();
            double[] saved = new double[count];
            double[] writes = new double[count];
            double[] restored = new double[count];
            try (var writer = new Clients(agent.port(), 1)) {
                Clients.Requests puts = Catalog.values("/v1/kv/bench/k%d");
                // The first of each is not counted.
                for (int i = -1; i < count; i++) {
                    agent.settle();
                    int at = Math.max(i, 0);
                    long begin = System.nanoTime();
                    CompletableFuture<Timed> save = save(http, agent, begin);
                    int written = 0;
                    while (!save.isDone()) {
                        written += writer.run(puts, Duration.ofMillis(20)).count();
                    }
                    Timed archive = save.join();
                    saved[at] = archive.seconds();
                    writes[at] = written / ((System.nanoTime() - begin) / 1e9);
                    agent.settle();
                    restored[at] = restore(http, agent, archive.body());
                }
            }
            report.add(Row.SNAPSHOT_SAVE, Rounds.median(saved), Double.NaN);
            report.add(Row.SNAPSHOT_WRITES, Rounds.median(writes), Double.NaN);
            report.add(Row.SNAPSHOT_RESTORE, Rounds.median(restored), Double.NaN);
        }
    }

    private static ByteBuffer registration(int n) {
        return ByteBuffer.wrap(Api.request("PUT", "/v1/catalog/register", Catalog.oneOfMany(n)));
    }

    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Timed(byte[] body, double seconds) {}

    private static CompletableFuture<Timed> save(HttpClient http, Subject agent, long begin) {
        return http.sendAsync(
                        HttpRequest.newBuilder(at(agent)).build(),
                        HttpResponse.BodyHandlers.ofByteArray())
                .thenApply(answer -> {
                    demand(answer.statusCode());
                    return new Timed(answer.body(), (System.nanoTime() - begin) / 1e9);
                });
    }

    private static double restore(HttpClient http, Subject agent, byte[] archive) {
        HttpRequest put =
                HttpRequest.newBuilder(at(agent))
                        .PUT(HttpRequest.BodyPublishers.ofByteArray(archive))
                        .build();
        long begin = System.nanoTime();
        try {
            demand(http.send(put, HttpResponse.BodyHandlers.discarding()).statusCode());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        return (System.nanoTime() - begin) / 1e9;
    }

    private static void demand(int status) {
        if (status != 200) {
            throw new IllegalStateException("the snapshot was answered with " + status);
        }
    }

    private static URI at(Subject agent) {
        return URI.create("http://127.0.0.1:" + agent.port() + "/v1/snapshot");
    }
}
