package registry.server.snapshot;

/**
 * A piece of an archive that waits for the others.
 *
 * @param restore whose piece it is
 * @param part its number, from 0
 * @param time when it came, as {@link registry.server.state.State#time}
 */
record RestorePart(String restore, int part, byte[] bytes, long time) {
    String key() {
        return "%s/%08d".formatted(restore, part);
    }
}
