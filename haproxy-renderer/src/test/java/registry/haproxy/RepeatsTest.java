package registry.haproxy;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class RepeatsTest {
    private final Logger log = (Logger) LoggerFactory.getLogger("repeats");
    private final ListAppender<ILoggingEvent> told = new ListAppender<>();
    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);
    private final Repeats repeats = new Repeats(log, nanos::get);

    @BeforeEach
    void listen() {
        told.start();
        log.addAppender(told);
    }

    @AfterEach
    void stop() {
        log.detachAppender(told);
    }

    private List<String> lines() {
        return told.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    @Test
    void tellsTheSameLineThriceAndThenCounts() {
        for (int i = 0; i < 100; i++) {
            repeats.tell("out web/srv1");
        }
        repeats.tell("out web/srv2");
        repeats.settle();
        assertThat(lines())
                .containsExactly("out web/srv1", "out web/srv1", "out web/srv1", "out web/srv2");

        nanos.addAndGet(Duration.ofSeconds(10).toNanos());
        repeats.settle();
        assertThat(lines()).endsWith("out web/srv2", "out web/srv1 (97 more times)").hasSize(5);
    }

    @Test
    void beginsAnewAfterTenSeconds() {
        repeats.tell("in web/srv1");
        nanos.addAndGet(Duration.ofSeconds(10).toNanos());
        repeats.settle();
        repeats.tell("in web/srv1");
        assertThat(lines()).containsExactly("in web/srv1", "in web/srv1");
    }
}
