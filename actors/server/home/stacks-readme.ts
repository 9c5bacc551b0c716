/** What a new home's stacks/ directory says about itself. */
export const stacksReadme = `# Your stack

Put your policy here, as \`.vgo\` files (YAML). Nothing reaches a machine before you publish:

    vigocli config validate     # check, change nothing
    vigocli config publish      # make it live

A first file, say \`modules/motd.vgo\`:

    motd:
      resources:
        - name: message
          type: file
          path: /etc/motd
          content: "Kept by Vigo\\n"
          mode: "0644"

This README is not part of the stack.
`;
