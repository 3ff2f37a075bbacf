package registry.agent.cli;

import java.security.SecureRandom;
import java.util.Base64;

/** {@code registry keygen}: a fresh key for gossip encryption. */
final class KeygenCommand implements Command {
    private static final int KEY_BYTES = 32;

    @Override
    public String synopsis() {
        return "";
    }

    @Override
    public String purpose() {
        return "Makes a key for the encryption of gossip.";
    }

    @Override
    public Flags flags() {
        return new Flags();
    }

    @Override
    public int run(Flags flags, Terminal terminal) {
        var key = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(key);
        terminal.say(Base64.getEncoder().encodeToString(key));
        return 0;
    }
}
