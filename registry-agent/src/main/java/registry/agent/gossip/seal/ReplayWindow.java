package registry.agent.gossip.seal;

/** Which numbers of one sender have been seen: each is accepted once, and none that is old. */
final class ReplayWindow {
    private static final int WIDTH = 64;

    private long highest = -1;
    private long seen; // bit n: highest - n

    synchronized boolean accepts(long number) {
        if (number < 0) {
            return false;
        }
        long ahead = number - highest;
        if (ahead > 0) {
            seen = ahead >= WIDTH ? 1 : seen << ahead | 1;
            highest = number;
            return true;
        }
        long bit = -ahead;
        if (bit >= WIDTH || (seen >>> bit & 1) != 0) {
            return false;
        }
        seen |= 1L << bit;
        return true;
    }
}
